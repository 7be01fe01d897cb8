import assert from "node:assert/strict";
import {
  type ConnectionState,
  INITIAL_STATE,
  MAX_DELAY_MS,
  MAX_RETRIES,
  MIN_DELAY_MS,
  reduce,
  retryDelay,
} from "./connection_state.ts";

const lost = (attempt: number, code = 1006) =>
  ({ type: "lost", attempt, code, now: 1000, random: 0.5 }) as const;

function connect(): ConnectionState {
  return reduce(INITIAL_STATE, { type: "start" });
}

function live(): ConnectionState {
  const { attempt } = connect();
  const syncing = reduce(connect(), { type: "opened", attempt });
  return reduce(syncing, { type: "synced", attempt });
}

Deno.test("reduce() becomes live only after the sync, not when the line opens", () => {
  const opened = reduce(connect(), { type: "opened", attempt: 1 });
  assert.equal(opened.phase, "syncing");
  assert.equal(reduce(opened, { type: "synced", attempt: 1 }).phase, "live");
});

Deno.test("reduce() ignores what an older attempt reports", () => {
  const waiting = reduce(connect(), lost(1));
  const second = reduce(waiting, { type: "retry" });
  assert.equal(second.attempt, 2);
  assert.equal(reduce(second, { type: "opened", attempt: 1 }), second);
  assert.equal(reduce(second, lost(1)), second);
});

Deno.test("reduce() gives up after ten retries and starts counting anew when woken", () => {
  let state = connect();
  for (let retry = 1; retry <= MAX_RETRIES; retry++) {
    state = reduce(state, lost(state.attempt));
    assert.equal(state.phase, "waiting");
    state = reduce(state, { type: "retry" });
  }
  state = reduce(state, lost(state.attempt));
  assert.ok(state.phase === "stopped" && state.why === "gaveUp");
  const woken = reduce(state, { type: "wake" });
  assert.deepEqual([woken.phase, woken.retries], ["connecting", 0]);
});

Deno.test("reduce() counts retries until the server accepts the sync", () => {
  const retrying = reduce(reduce(connect(), lost(1)), { type: "retry" });
  const opened = reduce(retrying, { type: "opened", attempt: 2 });
  assert.equal(opened.retries, 1);
  assert.equal(reduce(opened, { type: "synced", attempt: 2 }).retries, 0);
});

Deno.test("reduce() comes back after every close code but 4401, 4403 and 4412", () => {
  for (const code of [1001, 1006, 1009, 1012, 4408, 4429]) {
    assert.equal(reduce(live(), lost(1, code)).phase, "waiting", String(code));
  }
  const expired = reduce(live(), lost(1, 4401));
  const removed = reduce(live(), lost(1, 4403));
  assert.ok(expired.phase === "stopped" && expired.why === "signedOut");
  assert.ok(removed.phase === "stopped" && removed.why === "removed");
  const others = reduce(live(), lost(1, 4412));
  assert.ok(others.phase === "stopped" && others.why === "otherUser");
  assert.equal(reduce(expired, { type: "wake" }), expired);
});

Deno.test("retryDelay() lies between one second and a ceiling that grows to five", () => {
  const ceilings = [1, 2, 3, 10].map((retry) => retryDelay(retry, 1));
  assert.deepEqual(ceilings, [2000, 4000, MAX_DELAY_MS, MAX_DELAY_MS]);
  for (const retry of [1, 2, 3, 10]) {
    assert.equal(retryDelay(retry, 0), MIN_DELAY_MS);
  }
});
