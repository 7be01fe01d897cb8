import assert from "node:assert/strict";
import { RecentMap } from "./recent_map.ts";

Deno.test("RecentMap remembers the newest entries, and never more than twice its capacity", () => {
  const map = new RecentMap<number, string>(100);
  for (let n = 0; n < 1_000; n++) {
    map.set(n, `value ${n}`);
    assert.equal(map.get(n), `value ${n}`);
    const oldestSafe = Math.max(0, n - 99);
    assert.equal(map.get(oldestSafe), `value ${oldestSafe}`);
    assert.equal(map.get(n - 200), undefined);
  }
});

Deno.test("RecentMap gives the newest value of a key", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  assert.equal(map.get("a"), 3);
  assert.equal(map.get("b"), 2);
});
