import assert from "node:assert/strict";
import { WindowCounter } from "./window_counter.ts";

Deno.test("WindowCounter lets the limit pass, then tells how long to wait", () => {
  let now = 1_000;
  const counter = new WindowCounter({ limit: 2, windowMs: 500 }, () => now);
  assert.equal(counter.consume("a"), undefined);
  now = 1_200;
  assert.equal(counter.consume("a"), undefined);
  assert.equal(counter.consume("a"), 300);
  now = 1_499;
  assert.equal(counter.consume("a"), 1);
  now = 1_500;
  assert.equal(counter.consume("a"), undefined);
});

Deno.test("WindowCounter counts keys apart", () => {
  const counter = new WindowCounter({ limit: 1, windowMs: 500 }, () => 0);
  assert.equal(counter.consume("a"), undefined);
  assert.equal(counter.consume("b"), undefined);
  assert.equal(counter.consume("a"), 500);
});

Deno.test("WindowCounter takes back what did not count, but never below nothing", () => {
  const counter = new WindowCounter({ limit: 1, windowMs: 500 }, () => 0);
  counter.refund("a");
  assert.equal(counter.consume("a"), undefined);
  counter.refund("a");
  counter.refund("a");
  assert.equal(counter.consume("a"), undefined);
  assert.equal(counter.consume("a"), 500);
});

Deno.test("WindowCounter forgets windows that ended", () => {
  let now = 0;
  const counter = new WindowCounter({ limit: 1, windowMs: 500 }, () => now);
  for (let i = 0; i < 1_000; i++) counter.consume(`key ${i}`);
  assert.equal(counter.size, 1_000);
  now = 500;
  counter.consume("fresh");
  assert.equal(counter.size, 1);
});

Deno.test("WindowCounter stays in bounds under a million keys and remembers the newest", () => {
  const counter = new WindowCounter({ limit: 1, windowMs: 500 }, () => 0, 100);
  for (let i = 0; i < 1_000_000; i++) counter.consume(`key ${i}`);
  assert.equal(counter.size, 100);
  assert.equal(counter.consume("key 999999"), 500);
});
