import assert from "node:assert/strict";
import type { ReadMarker } from "../../db/memberships.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { connectionLost, createGate } from "../../tests/realtime/fakes.ts";
import { ReadMarkers } from "./read_markers.ts";

function createReadMarkers() {
  const clock = createFakeClock();
  const gate = createGate<[readonly ReadMarker[]], void>();
  const failures: unknown[] = [];
  const readMarkers = new ReadMarkers({
    store: gate.call,
    clock: clock.now,
    timers: clock,
    fail: (error) => failures.push(error),
  });
  /** The marks of the oldest statement that waits, as text; it succeeds. */
  const stored = async () => {
    const { args: [marks], resolve } = gate.next();
    resolve();
    await clock.advance(0);
    return marks.map(({ userId, roomId, seq }) => `${userId} ${roomId} ${seq}`);
  };
  return { clock, gate, failures, readMarkers, stored };
}

Deno.test("mark() is stored after a second, together with all others and with the newest seq", async () => {
  const { clock, gate, readMarkers, stored } = createReadMarkers();
  readMarkers.mark("alice", "a", 3);
  await clock.advance(500);
  readMarkers.mark("alice", "a", 5);
  readMarkers.mark("alice", "a", 4);
  readMarkers.mark("bob", "b", 1);
  assert.equal(gate.calls.length, 0);
  await clock.advance(500);
  assert.equal(gate.calls.length, 1);
  assert.deepEqual(await stored(), ["alice a 5", "bob b 1"]);
  await clock.advance(10_000);
  assert.equal(gate.calls.length, 0, "once");
  assert.equal(clock.waiting, 0);
});

Deno.test("flush() resolves when everything marked before is stored", async () => {
  const { clock, gate, readMarkers, stored } = createReadMarkers();
  readMarkers.mark("alice", "a", 1);
  let flushed = false;
  readMarkers.flush().then(() => flushed = true);
  await clock.advance(0);
  assert.equal(flushed, false);
  readMarkers.mark("alice", "a", 2);
  const second = readMarkers.flush();
  await clock.advance(0);
  assert.equal(gate.calls.length, 1, "one statement at a time");
  assert.deepEqual(await stored(), ["alice a 1"]);
  assert.equal(flushed, true);
  assert.deepEqual(await stored(), ["alice a 2"]);
  await second;
  await readMarkers.flush();
  assert.equal(clock.waiting, 0);
});

Deno.test("marks that could not be stored are stored with the next ones, never a lower one over a higher", async () => {
  const { clock, gate, failures, readMarkers, stored } = createReadMarkers();
  readMarkers.mark("alice", "a", 1);
  readMarkers.mark("bob", "b", 7);
  await clock.advance(1_000);
  readMarkers.mark("alice", "a", 4);
  gate.next().reject(connectionLost());
  await clock.advance(0);
  assert.equal(failures.length, 1);
  await clock.advance(1_000);
  assert.deepEqual((await stored()).sort(), ["alice a 4", "bob b 7"]);
});

Deno.test("flush() does not reject when the marks cannot be stored", async () => {
  const { clock, gate, failures, readMarkers } = createReadMarkers();
  readMarkers.mark("alice", "a", 1);
  const flushed = readMarkers.flush();
  await clock.advance(0);
  gate.next().reject(connectionLost());
  await flushed;
  assert.equal(failures.length, 1);
});
