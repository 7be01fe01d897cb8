import assert from "node:assert/strict";
import { RecentMap } from "./recent_map.ts";

Deno.test("set() of one entry too many forgets the one that was set longest ago", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assert.equal(map.get("a"), 3);
  assert.equal(map.get("b"), undefined);
  assert.equal(map.get("c"), 4);
});

Deno.test("get() of a key like __proto__ finds what was set, and nothing else", () => {
  const map = new RecentMap<string, number>(2);
  assert.equal(map.get("__proto__"), undefined);
  map.set("__proto__", 1);
  assert.equal(map.get("__proto__"), 1);
  assert.equal(map.get("constructor"), undefined);
});
