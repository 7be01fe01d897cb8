/** How a broker finds that Redis is away and back, by probes of a connection that is not one. */

import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { recordingLog } from "../../tests/helpers/log.ts";
import { openRedisBroker } from "./redis_broker.ts";
import { RedisAwayError } from "./answer_watch.ts";
import type { RedisCommands, RedisConnection } from "./redis_connection.ts";

/** The next probe, and the time until an answer is late. */
const PROBE_MS = 1_500;

/** A broker over a connection that does what the test says. */
async function openFake() {
  const clock = createFakeClock();
  const log = recordingLog();
  const states: string[] = [];
  const subscribed: string[] = [];
  const fake = {
    /** What a probe is told. */
    probe: () => Promise.resolve(),
    /** Channels whose node is away. */
    away: new Set<string>(),
  };
  const connection: RedisConnection = {
    commands: {} as RedisCommands,
    subscriber: {
      sSubscribe(channel) {
        if (fake.away.has(channel)) {
          return Promise.reject(new RedisAwayError("its node is away"));
        }
        subscribed.push(channel);
        return Promise.resolve();
      },
      sUnsubscribe: () => Promise.resolve(),
    },
    isReady: true,
    probe: () => fake.probe(),
    connect: () => Promise.resolve(),
    destroy() {},
  };
  const broker = await openRedisBroker({
    ...{ url: "redis://fake", namespace: "test" },
    ...{ clock: clock.now, timers: clock, log },
    createConnection: () => connection,
  });
  broker.listen({
    received() {},
    up: () => void states.push("up"),
    down: () => void states.push("down"),
  });
  return {
    ...{ broker, clock, fake, log, states, subscribed },
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

Deno.test("a Redis that is connected and answers a probe with an error is away, and back with the next one that is answered", async () => {
  await using it = await openFake();
  await it.clock.advance(PROBE_MS);
  assert.deepEqual(it.states, ["up"]);
  it.fake.probe = () => Promise.reject(new Error("CLUSTERDOWN for now"));
  await it.clock.advance(PROBE_MS);
  assert.equal(it.broker.isUp, false);
  assert.ok(
    it.log.lines.some((line) => /"warn".*is away.*CLUSTERDOWN/.test(line)),
    "the log says why",
  );
  await it.clock.advance(10 * PROBE_MS);
  assert.deepEqual(it.states, ["up", "down"], "it is told once");
  it.fake.probe = () => Promise.resolve();
  await it.clock.advance(PROBE_MS);
  assert.equal(it.broker.isUp, true);
  assert.deepEqual(it.states, ["up", "down", "up"]);
});

Deno.test("a channel whose node is away does not keep Redis from being there, and is heard when the node is back", async () => {
  await using it = await openFake();
  it.fake.away.add("chatket:test:room:away");
  it.fake.probe = () => Promise.reject(new Error("gone"));
  await it.clock.advance(PROBE_MS);
  assert.equal(it.broker.subscribe("room:away"), undefined);
  assert.equal(it.broker.subscribe("room:there"), undefined);
  it.fake.probe = () => Promise.resolve();
  await it.clock.advance(3 * PROBE_MS);
  assert.equal(it.broker.isUp, true);
  assert.deepEqual(it.subscribed, ["chatket:test:room:there"]);
  assert.ok(
    !it.log.lines.some((line) => line.includes("refuses")),
    "nothing was refused",
  );
  it.fake.away.clear();
  await it.clock.advance(PROBE_MS);
  assert.deepEqual(it.subscribed, [
    "chatket:test:room:there",
    "chatket:test:room:away",
  ]);
  assert.deepEqual(it.states, ["up", "down", "up"]);
});
