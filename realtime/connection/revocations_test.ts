import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { numbers } from "../../tests/realtime/fakes.ts";
import { REVOCATION_INTERVAL_MS, watchRevocations } from "./revocations.ts";

/** A watch over ends that are told by hand. */
function watch(answers: (string[] | Error)[]) {
  const clock = createFakeClock();
  const asked: number[] = [];
  const closed: string[] = [];
  const failures: unknown[] = [];
  const state = { isNeeded: true, isDone: false };
  /** Users with connections without a session, and from when on their tokens count. */
  const sessionless = new Map<string, Date | undefined | Error>();
  const askedUsers: number[] = [];
  watchRevocations({
    listRevokedWithin: (milliseconds) => {
      asked.push(milliseconds);
      const answer = answers.shift() ?? [];
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(answer);
    },
    listTokensFrom: (userIds) => {
      askedUsers.push(userIds.length);
      const found = userIds.flatMap((userId) => {
        const from = sessionless.get(userId);
        if (from instanceof Error) throw from;
        return from === undefined ? [] : [{ userId, from }];
      });
      return Promise.resolve(found);
    },
    usersWithoutSession: () => new Set(sessionless.keys()),
    closeTokensBefore: (userId, moment) =>
      void closed.push(`${userId} before ${moment.toISOString()}`),
    isNeeded: () => state.isNeeded,
    isDone: () => state.isDone,
    closeSessions: (ids) => void closed.push(...ids),
    clock: clock.now,
    timers: clock,
    fail: (error) => void failures.push(error),
  });
  return {
    ...{ clock, asked, closed, failures, state, sessionless, askedUsers },
  };
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

Deno.test("watchRevocations() closes older tokens without a session of who has signed out everywhere", async () => {
  const { clock, closed, sessionless, askedUsers } = watch([]);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(askedUsers, [], "nobody has such a token");
  sessionless.set("alice", undefined);
  sessionless.set("bob", undefined);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(closed, []);
  const moment = new Date(clock.now());
  sessionless.set("bob", moment);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(askedUsers, [2, 2]);
  assert.deepEqual(closed, [`bob before ${moment.toISOString()}`]);
});

Deno.test("watchRevocations() asks for 2,500 users in three statements, and again after a failure", async () => {
  const { clock, failures, sessionless, askedUsers } = watch([]);
  for (const n of numbers(1, 2_500)) sessionless.set(`user ${n}`, undefined);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(askedUsers.splice(0), [1_000, 1_000, 500]);
  const error = new Error("the database is away");
  sessionless.set("user 1", error);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(failures, [error]);
  sessionless.set("user 1", undefined);
  await clock.advance(REVOCATION_INTERVAL_MS);
  assert.deepEqual(askedUsers, [1_000, 1_000, 1_000, 500]);
});
