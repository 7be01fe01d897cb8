import assert from "node:assert/strict";
import { LAST_SEEN_KEY, Positions, POSITIONS_KEY } from "./positions.ts";
import { MemoryStorage } from "./storage.ts";

const read = (storage: MemoryStorage, key: string) =>
  JSON.parse(storage.getItem(key) ?? "null");

Deno.test("Positions keeps the time under beatair_last_seen and the number beside it", () => {
  const storage = new MemoryStorage();
  const positions = new Positions(storage);
  positions.advance("a", 7, "2026-01-01T00:00:00.000Z");
  positions.advance("b", 1, "2026-01-02T00:00:00.000Z");
  assert.equal(LAST_SEEN_KEY, "beatair_last_seen");
  assert.deepEqual(read(storage, LAST_SEEN_KEY), {
    a: "2026-01-01T00:00:00.000Z",
    b: "2026-01-02T00:00:00.000Z",
  });
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 7, b: 1 });
});

Deno.test("advance() never moves back; reset() does", () => {
  const storage = new MemoryStorage();
  const positions = new Positions(storage);
  positions.advance("a", 7, "2026-01-07T00:00:00.000Z");
  positions.advance("a", 3, "2026-01-03T00:00:00.000Z");
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 7 });
  positions.reset("a", 3, "2026-01-03T00:00:00.000Z");
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 3 });
  const a = "2026-01-03T00:00:00.000Z";
  assert.deepEqual(read(storage, LAST_SEEN_KEY), { a });
});

Deno.test("Positions survives a map another program has spoiled", () => {
  const storage = new MemoryStorage();
  storage.setItem(LAST_SEEN_KEY, "not json");
  storage.setItem(POSITIONS_KEY, "[1]");
  const positions = new Positions(storage);
  positions.advance("a", 1, "2026-01-01T00:00:00.000Z");
  assert.equal(read(storage, POSITIONS_KEY).a, 1);
});
