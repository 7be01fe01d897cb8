import assert from "node:assert/strict";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { REVOCATION_INTERVAL_MS, watchRevocations } from "./revocations.ts";

/** A watch over ends that are told by hand. */
function watch(answers: (string[] | Error)[]) {
  const clock = createFakeClock();
  const asked: number[] = [];
  const closed: string[] = [];
  const failures: unknown[] = [];
  const state = { isNeeded: true, isDone: false };
  watchRevocations({
    listRevokedSince: (since) => {
      asked.push(clock.now() - since.getTime());
      const answer = answers.shift() ?? [];
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(answer);
    },
    isNeeded: () => state.isNeeded,
    isDone: () => state.isDone,
    closeSessions: (ids) => void closed.push(...ids),
    clock: clock.now,
    timers: clock,
    fail: (error) => void failures.push(error),
  });
  return { clock, asked, closed, failures, state };
}

Deno.test("watchRevocations() closes what ended elsewhere, a few seconds later", async () => {
  const { clock, closed } = watch([[], ["one", "two"]]);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(closed, []);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(closed, ["one", "two"]);
});

Deno.test("watchRevocations() asks for the time that a failure has left out", async () => {
  const error = new Error("the database is away");
  const { clock, asked, failures } = watch([error, error, []]);
  await clock.advance(3 * REVOCATION_INTERVAL_MS);
  assert.deepEqual(failures, [error, error]);
  const [first, second, third] = asked;
  assert.equal(second! - first!, REVOCATION_INTERVAL_MS);
  assert.equal(third! - second!, REVOCATION_INTERVAL_MS);
});

Deno.test("watchRevocations() asks nothing while nobody is connected, and leaves no timer when it is done", async () => {
  const { clock, asked, state } = watch([]);
  state.isNeeded = false;
  await clock.advance(3 * REVOCATION_INTERVAL_MS);
  assert.deepEqual(asked, []);
  state.isDone = true;
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.equal(clock.waiting, 0);
});
