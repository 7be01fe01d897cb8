/** What the realtime side does with what other processes tell. */

import assert from "node:assert/strict";
import { loadConfig } from "../config.ts";
import type { Database } from "../db/engine/database.ts";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { recordingLog } from "../tests/helpers/log.ts";
import { createBrokers } from "../tests/realtime/fake_broker.ts";
import type { BrokerListener, Signal } from "./cluster/broker.ts";
import { createMetrics } from "./metrics.ts";
import { createRealtime } from "./realtime.ts";

const USER = { id: crypto.randomUUID(), username: "alice" };

function createProcess() {
  const clock = createFakeClock();
  const broker = createBrokers(clock).join();
  const log = recordingLog();
  let listener: BrokerListener | undefined;
  const { listen } = broker;
  broker.listen = (its) => listen(listener = its);
  const realtime = createRealtime({
    config: loadConfig({ DATABASE_URL: "postgres://nowhere" }),
    // Nobody is connected: nothing is asked for.
    db: {} as Database,
    ...{ log, broker, timers: clock },
    ...{ clock: clock.now, steadyClock: clock.now },
    metrics: createMetrics(clock.now),
    epoch: crypto.randomUUID(),
  });
  return {
    ...{ clock, broker, log, realtime },
    receive: (signal: unknown) => listener!.received(signal as Signal),
  };
}

Deno.test("what a newer version tells is passed over: other signals, and more in those that are known", async () => {
  const { clock, broker, log, realtime, receive } = createProcess();
  await clock.advance(100);
  receive({ kind: "of tomorrow", roomId: 7 });
  receive({});
  receive([]);
  receive({
    kind: "presence",
    ...{ from: "0123456789ab", number: 1, secret: true },
    changes: { online: [USER.id], offline: [], away: ["bob"] },
  });
  await clock.advance(100);
  receive({ kind: "goodbye", from: "0123456789ab", why: "tired" });
  assert.equal(realtime.statusOf(USER.id), "offline");
  assert.deepEqual(log.lines, []);
  assert.equal(realtime.brokerUp, true);
  assert.ok(broker.channels.has("presence"));
});

Deno.test("what is told of rooms, users and streams that nobody here has is passed over", async () => {
  const { clock, log, receive } = createProcess();
  const roomId = crypto.randomUUID();
  const at = "2026-03-01T12:00:00.000Z";
  const isMember = false;
  const { id: userId } = USER;
  const signals: Signal[] = [
    { kind: "messages", roomId, messages: [] },
    {
      kind: "announcement",
      event: {
        event: "room:system",
        data: { type: "join", roomId, user: USER, createdAt: at },
      },
    },
    { kind: "typing", roomId, changes: [{ user: USER, isTyping: true }] },
    {
      kind: "membership",
      change: { user: USER, roomId, isMember, at, isAnnounced: true },
    },
    {
      kind: "event",
      userId,
      event: { event: "room:read", data: { roomId, lastSeq: 1 } },
    },
    { kind: "sign_out", userId },
    { kind: "sign_out", userId, sessionIds: ["x"] },
    { kind: "alive", from: "0123456789ab", number: 3 },
    { kind: "hello" },
    { kind: "goodbye", from: "ba9876543210" },
    { kind: "frame_answer", id: "x", result: "not_found" },
  ];
  for (const signal of signals) receive(signal);
  await clock.advance(10_000);
  assert.deepEqual(log.lines, []);
});

Deno.test("what is told while the process ends, after everything was finished, is not begun", async () => {
  const { clock, realtime, receive } = createProcess();
  const drained = realtime.drain();
  await clock.advance(10_000);
  await drained;
  const waiting = clock.waiting;
  const user = USER;
  receive({ kind: "typing", roomId: "r", changes: [{ user, isTyping: true }] });
  await clock.advance(0);
  assert.equal(clock.waiting, waiting);
});

Deno.test("a frame for a stream that is not here, or is another user's, is answered with not_found", async () => {
  const { clock, broker, receive } = createProcess();
  const frame = {
    ...{ id: "question", from: "0123456789ab", userId: USER.id, text: "{}" },
    connectionId: crypto.randomUUID(),
  };
  receive({ kind: "frame", frame });
  await clock.advance(10);
  assert.deepEqual(
    broker.told.filter(({ signal }) => signal.kind === "frame_answer"),
    [{
      channel: "process:0123456789ab",
      signal: { kind: "frame_answer", id: "question", result: "not_found" },
    }],
  );
});
