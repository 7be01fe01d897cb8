/** Processes of a chat as far as Redis sees them: a broker each, on a Redis of their own. */

import assert from "node:assert/strict";
import type { Channel, Signal } from "../../realtime/cluster/broker.ts";
import { openRedisBroker } from "../../realtime/cluster/redis_broker.ts";
import { systemTimers } from "../../realtime/timers.ts";
import { recordingLog } from "../helpers/log.ts";
import {
  redisMissing,
  type RedisServer,
  startRedis,
} from "../helpers/redis.ts";

const missing = await redisMissing();

/** Lets real time pass. */
export const pause = (ms: number) =>
  new Promise((resolve) => setTimeout(resolve, ms));

export const ROOM: Channel = "room:one";
export const HELLO: Signal = { kind: "hello" };

/** Waits until the clients' timers for the next attempt are over: closing one does not end them. */
export const clientsForget = () => pause(1_200);

/** A signal that says which it is. */
export const signal = (number: number): Signal => ({
  kind: "alive",
  from: "test",
  number,
});

/** Resolves with how long it took until something is true, in milliseconds. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = 10_000,
) {
  const started = performance.now();
  while (!await isTrue()) {
    if (performance.now() - started > limitMs) assert.fail(`never: ${what}`);
    await pause(5);
  }
  return performance.now() - started;
}

/** A process of the chat, as far as Redis sees it. */
export async function openProcess(
  redis: Pick<RedisServer, "url">,
  namespace = "test",
) {
  const log = recordingLog();
  const broker = await openRedisBroker({
    url: redis.url,
    namespace,
    clock: Date.now,
    timers: systemTimers,
    log,
  });
  const signals: Signal[] = [];
  const states: string[] = [];
  return {
    ...{ broker, signals, states, log },
    shared: broker.shared!,
    /** Says who listens. */
    listen: () =>
      broker.listen({
        received: (its) => void signals.push(its),
        up: () => void states.push("up"),
        down: () => void states.push("down"),
      }),
    numbers: () =>
      signals.flatMap((its) => its.kind === "alive" ? [its.number] : []),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

type Process = Awaited<ReturnType<typeof openProcess>>;

/** Some processes that listen, on a Redis of their own. */
export async function openChat(count: number) {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const processes: Process[] = [];
  for (let n = 0; n < count; n++) {
    const process = stack.use(await openProcess(redis));
    process.listen();
    processes.push(process);
  }
  const all = stack.move();
  return {
    redis,
    processes: processes as [Process, Process],
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A test that needs a Redis. */
export function redisTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: missing !== undefined, fn });
}
