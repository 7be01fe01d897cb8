import assert from "node:assert/strict";
import { sendPace } from "./send_pace.ts";

const LIMIT = { messages: 5, windowMs: 10_000 };

Deno.test("sendPace() tells from the fourth message of five on what is left, and how long the fifth waits", () => {
  const sentAt = [0, 1_000, 2_000, 3_000, 4_000];
  assert.equal(sendPace([], LIMIT, 0), undefined);
  assert.equal(sendPace(sentAt.slice(0, 3), LIMIT, 2_000), undefined);
  assert.deepEqual(sendPace(sentAt.slice(0, 4), LIMIT, 3_000), {
    left: 1,
    waitMs: 7_000,
  });
  assert.deepEqual(sendPace(sentAt, LIMIT, 4_000), { left: 0, waitMs: 6_000 });
});

Deno.test("sendPace() forgets a message when the window has passed it", () => {
  const sentAt = [0, 9_000, 9_000, 9_000, 9_000];
  assert.equal(sendPace(sentAt, LIMIT, 9_999)?.left, 0);
  assert.equal(sendPace(sentAt, LIMIT, 10_000)?.left, 1);
  assert.equal(sendPace(sentAt, LIMIT, 19_000), undefined);
});

Deno.test("sendPace() tells of a large limit only near its end, and of a small one when it is reached", () => {
  const times = (count: number) => Array<number>(count).fill(1);
  const large = { messages: 1_000, windowMs: 10_000 };
  assert.equal(sendPace(times(996), large, 2), undefined);
  assert.equal(sendPace(times(997), large, 2)?.left, 3);
  const small = { messages: 1, windowMs: 10_000 };
  assert.equal(sendPace([], small, 2), undefined);
  assert.equal(sendPace([1], small, 2)?.left, 0);
});
