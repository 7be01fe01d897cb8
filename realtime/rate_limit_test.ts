import assert from "node:assert/strict";
import { numbers } from "../tests/realtime/fakes.ts";
import { MessageRateLimit } from "./rate_limit.ts";

const SETTINGS = { messages: 5, windowMs: 10_000, muteMs: 30_000 };
const NOW = Date.UTC(2026, 2, 1, 12);

function fullAt(now: number): MessageRateLimit {
  const limit = new MessageRateLimit(SETTINGS);
  for (const _ of numbers(1, 5)) limit.count("key", now);
  return limit;
}

Deno.test("state() is free for five messages in the window and full with the fifth", () => {
  const limit = new MessageRateLimit(SETTINGS);
  const seen = numbers(0, 5).map((n) => {
    const { kind } = limit.state("key", NOW + n);
    limit.count("key", NOW + n);
    return kind;
  });
  assert.deepEqual(seen, ["free", "free", "free", "free", "free", "full"]);
});

Deno.test("state() changes nothing", () => {
  const limit = new MessageRateLimit(SETTINGS);
  for (const _ of numbers(1, 50)) limit.state("key", NOW);
  assert.deepEqual(limit.state("key", NOW), { kind: "free" });
  assert.equal(limit.size, 0);
});

Deno.test("the window slides: each message counts for exactly 10 s", () => {
  const limit = new MessageRateLimit(SETTINGS);
  for (const n of numbers(0, 4)) limit.count("key", NOW + n * 1_000);
  assert.equal(limit.state("key", NOW + 9_999).kind, "full");
  assert.equal(limit.state("key", NOW + 10_000).kind, "free");
  limit.count("key", NOW + 10_000);
  assert.equal(limit.state("key", NOW + 10_999).kind, "full");
  assert.equal(limit.state("key", NOW + 11_000).kind, "free");
});

Deno.test("mute() holds for exactly 30 s and leaves an empty window", () => {
  const limit = fullAt(NOW);
  const until = limit.mute("key", NOW + 1);
  assert.equal(until, NOW + 30_001);
  assert.deepEqual(limit.state("key", until - 1), { kind: "muted", until });
  for (const n of numbers(1, 5)) {
    assert.deepEqual(limit.state("key", until), { kind: "free" }, `no. ${n}`);
    limit.count("key", until);
  }
  assert.deepEqual(limit.state("key", until), { kind: "full" });
});

Deno.test("one key says nothing about another", () => {
  const limit = fullAt(NOW);
  limit.mute("key", NOW);
  assert.deepEqual(limit.state("other", NOW), { kind: "free" });
});

Deno.test("count() can be taken back for a message that was not stored", () => {
  const limit = new MessageRateLimit(SETTINGS);
  limit.count("key", NOW);
  const takeBack = limit.count("key", NOW + 1);
  for (const n of numbers(2, 4)) limit.count("key", NOW + n);
  assert.equal(limit.state("key", NOW + 5).kind, "full");
  takeBack();
  assert.equal(limit.state("key", NOW + 5).kind, "free");
  limit.count("key", NOW + 5);
  assert.equal(limit.state("key", NOW + 5).kind, "full");
});

Deno.test("count() taken back after a mute, or after the window, takes nothing", () => {
  const limit = new MessageRateLimit(SETTINGS);
  const takeBack = limit.count("key", NOW);
  const until = limit.mute("key", NOW);
  takeBack();
  assert.deepEqual(limit.state("key", NOW + 1), { kind: "muted", until });
  for (const _ of numbers(1, 5)) limit.count("key", until);
  takeBack();
  assert.equal(limit.state("key", until).kind, "full");
});

Deno.test("sweep() forgets what no longer matters, and only that", () => {
  const limit = new MessageRateLimit(SETTINGS);
  for (const n of numbers(1, 10_000)) limit.count(`user ${n}`, NOW);
  limit.mute("muted", NOW);
  limit.count("taken back", NOW)();
  limit.count("late", NOW + 9_000);
  assert.equal(limit.size, 10_003);
  limit.sweep(NOW + 10_000);
  assert.equal(limit.size, 2);
  limit.sweep(NOW + 30_000);
  assert.equal(limit.size, 0);
});
