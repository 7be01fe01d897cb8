import assert from "node:assert/strict";
import { LAST_SEEN_KEY, Positions, POSITIONS_KEY } from "./positions.ts";
import { FakeClock } from "../fakes.ts";
import { MemoryStorage } from "../storage/storage.ts";
import { WRITE_DELAY_MS } from "../storage/write_behind.ts";

const read = (storage: MemoryStorage, key: string) =>
  JSON.parse(storage.getItem(key) ?? "null");

Deno.test("Positions keeps the time under beatair_last_seen and the number beside it", () => {
  const storage = new MemoryStorage();
  const positions = new Positions(storage, new FakeClock());
  positions.advance("a", 7, "2026-01-01T00:00:00.000Z");
  positions.advance("b", 1, "2026-01-02T00:00:00.000Z");
  positions.writing.flush();
  assert.equal(LAST_SEEN_KEY, "beatair_last_seen");
  assert.deepEqual(read(storage, LAST_SEEN_KEY), {
    a: "2026-01-01T00:00:00.000Z",
    b: "2026-01-02T00:00:00.000Z",
  });
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 7, b: 1 });
});

Deno.test("advance() never moves back; reset() does", () => {
  const storage = new MemoryStorage();
  const positions = new Positions(storage, new FakeClock());
  positions.advance("a", 7, "2026-01-07T00:00:00.000Z");
  positions.advance("a", 3, "2026-01-03T00:00:00.000Z");
  positions.writing.flush();
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 7 });
  positions.reset("a", 3, "2026-01-03T00:00:00.000Z");
  positions.writing.flush();
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 3 });
  const a = "2026-01-03T00:00:00.000Z";
  assert.deepEqual(read(storage, LAST_SEEN_KEY), { a });
});

Deno.test("Positions survives a map another program has spoiled", () => {
  const storage = new MemoryStorage();
  storage.setItem(LAST_SEEN_KEY, "not json");
  storage.setItem(POSITIONS_KEY, "[1]");
  const positions = new Positions(storage, new FakeClock());
  positions.advance("a", 1, "2026-01-01T00:00:00.000Z");
  positions.writing.flush();
  assert.equal(read(storage, POSITIONS_KEY).a, 1);
});

/** Storage that counts how often it is read. */
class CountingStorage extends MemoryStorage {
  reads = 0;
  override getItem(key: string): string | null {
    this.reads++;
    return super.getItem(key);
  }
}

Deno.test("a burst of messages is one write a little later, without a read", async () => {
  const storage = new CountingStorage();
  const clock = new FakeClock();
  const positions = new Positions(storage, clock);
  storage.reads = 0;
  for (let seq = 1; seq <= 100; seq++) {
    positions.advance("a", seq, "2026-01-01T00:00:00.000Z");
  }
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(storage.reads, 0);
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 100 });
});

Deno.test("what another tab has written is kept beside one's own", () => {
  const storage = new MemoryStorage();
  const [one, two] = [0, 1].map(() => new Positions(storage, new FakeClock()));
  one!.advance("a", 1, "2026-01-01T00:00:00.000Z");
  two!.advance("b", 2, "2026-01-02T00:00:00.000Z");
  one!.writing.flush();
  for (const key of [POSITIONS_KEY, LAST_SEEN_KEY]) two!.storageChanged(key);
  two!.writing.flush();
  assert.deepEqual(read(storage, POSITIONS_KEY), { a: 1, b: 2 });
  assert.deepEqual(read(storage, LAST_SEEN_KEY), {
    a: "2026-01-01T00:00:00.000Z",
    b: "2026-01-02T00:00:00.000Z",
  });
});
