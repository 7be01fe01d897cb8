import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import {
  REPLAY_BURST_BYTES,
  REPLAY_BYTES_PER_SECOND,
  ReplayTurns,
} from "./replay_turns.ts";

function createTurns() {
  const clock = createFakeClock();
  const turns = new ReplayTurns({ clock: clock.now, timers: clock });
  const reads = createGate<[string], { value: string; bytes: number }>();
  return {
    ...{ clock, reads },
    take: (userId: string, name: string) =>
      turns.take(userId, () => reads.call(name)),
    /** Who is being read for. */
    reading: () => reads.calls.map(({ args: [name] }) => name),
    /** The oldest reading ends. */
    async end(bytes = 0) {
      const { args: [value], resolve } = reads.next();
      resolve({ value, bytes });
      await clock.advance(0);
    },
  };
}

Deno.test("one of a user's sockets is read for at a time, in order; other users do not wait", async () => {
  const { clock, reads, take, reading, end } = createTurns();
  const taken = ["a1", "a2", "a3"].map((name) => take("a", name));
  taken.push(take("b", "b1"));
  await clock.advance(0);
  assert.deepEqual(reading(), ["a1", "b1"]);
  await end();
  assert.deepEqual(reading(), ["b1", "a2"]);
  await end();
  reads.next().reject(new Error("the database is away"));
  await assert.rejects(taken[1]!, /away/);
  await clock.advance(0);
  assert.deepEqual(reading(), ["a3"], "a failure holds nobody up");
  await end();
  assert.equal(await taken[0], "a1");
  assert.equal(await taken[2], "a3");
});

Deno.test("who has used up the budget waits until it is there again", async () => {
  const { clock, take, reading, end } = createTurns();
  void take("a", "first");
  await clock.advance(0);
  await end(REPLAY_BURST_BYTES + REPLAY_BYTES_PER_SECOND / 2);
  void take("a", "second");
  void take("b", "other");
  await clock.advance(499);
  assert.deepEqual(reading(), ["other"]);
  await clock.advance(2);
  assert.deepEqual(reading(), ["other", "second"]);
});
