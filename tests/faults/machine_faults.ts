/**
 * What can happen where several processes are one chat: to Redis, to the ways to it, and to processes
 * while the others go on. Each fault leaves everything running again.
 */

import type { FaultProxy } from "./proxy.ts";
import {
  holdAnswers,
  type ServerFault,
  type ServerFaultParts,
  stopInOrder,
} from "./server_faults.ts";
import { sleep } from "./sleep.ts";

/** A process that is silent for this long counts as dead among the others, in milliseconds. */
const DEAD_AFTER_MS = 15_000;

/** Longer than a process needs to notice that Redis does not answer, in milliseconds. */
const NOTICED_MS = 6_000;

const common = { engines: ["postgres"] } as const;

export const MACHINE_FAULTS: readonly ServerFault[] = [
  {
    ...common,
    name: "Redis killed (SIGKILL)",
    times: 2,
    async run({ cluster: { redis }, random }) {
      await redis!.kill();
      await sleep(random.int(0, 3_000));
      await redis!.start();
    },
  },
  {
    ...common,
    name: "Redis stopped (SIGTERM)",
    times: 1,
    async run({ cluster: { redis }, random }) {
      await redis!.stop();
      await sleep(random.int(0, 1_000));
      await redis!.start();
    },
  },
  {
    ...common,
    name: "Redis paused (SIGSTOP)",
    times: 2,
    async run({ cluster: { redis }, random }) {
      redis!.pause();
      await sleep(random.int(200, NOTICED_MS));
      redis!.resume();
    },
  },
  {
    ...common,
    name: "Redis ends its clients' lines",
    times: 1,
    async run({ cluster: { redis } }) {
      await redis!.command("CLIENT KILL TYPE pubsub");
      await redis!.command("CLIENT KILL TYPE normal");
    },
  },
  {
    ...common,
    name: "Redis forgets everything (FLUSHALL)",
    times: 1,
    run: ({ cluster: { redis } }) => redis!.command("FLUSHALL"),
  },
  {
    ...common,
    name: "Redis slow",
    times: 1,
    async run({ cluster: { redisProxies }, random }) {
      const delayMs = random.int(20, 300);
      for (const proxy of redisProxies) proxy.setDelay(delayMs);
      await sleep(random.int(500, 3_000));
      for (const proxy of redisProxies) proxy.setDelay(0);
    },
  },
  {
    ...common,
    name: "one machine cut off from Redis",
    times: 2,
    run: ({ machine, random }) =>
      partition([machine.redisProxy!], random.int(300, 5_000)),
  },
  {
    ...common,
    name: "all machines cut off from Redis",
    times: 1,
    run: ({ cluster: { redisProxies }, random }) =>
      partition(redisProxies, random.int(300, 5_000)),
  },
  {
    ...common,
    name: "one machine's lines to Redis frozen",
    times: 2,
    async run({ machine: { redisProxy }, random }) {
      // What was told before comes late, after what was read from the database.
      redisProxy!.setMode("hold");
      await sleep(random.int(200, NOTICED_MS));
      redisProxy!.setMode("pass");
    },
  },
  {
    ...common,
    name: "one machine hears nothing from Redis, then loses its lines",
    times: 2,
    async run({ machine: { redisProxy }, random }) {
      const lines = redisProxy!.lines;
      for (const line of lines) line.down.setMode("discard");
      await sleep(random.int(50, 2_000));
      for (const line of lines) line.cut("reset");
    },
  },
  {
    ...common,
    name: "one machine's word does not reach Redis, then it loses its lines",
    times: 2,
    async run({ machine: { redisProxy }, random }) {
      const lines = redisProxy!.lines;
      for (const line of lines) line.up.setMode("discard");
      await sleep(random.int(50, 2_000));
      for (const line of lines) line.cut("reset");
    },
  },
  {
    ...common,
    name: "one machine cut off from the database",
    times: 1,
    run: ({ machine, random }) =>
      partition([machine.databaseProxy!], random.int(300, 4_000)),
  },
  {
    ...common,
    name: "one machine cut off from Redis and the database",
    times: 1,
    run: ({ machine, random }) =>
      partition(
        [machine.databaseProxy!, machine.redisProxy!],
        random.int(300, 4_000),
      ),
  },
  {
    ...common,
    name: "one machine paused until it counts as dead",
    times: 1,
    async run({ machine: { server }, random }) {
      server.pause();
      await sleep(DEAD_AFTER_MS + random.int(500, 2_500));
      server.resume();
    },
  },
  {
    ...common,
    name: "a machine and Redis killed at once",
    times: 1,
    async run({ cluster: { redis }, machine: { server }, random }) {
      await Promise.all([redis!.kill(), server.kill()]);
      await sleep(random.int(0, 1_000));
      // The server must come up without Redis.
      if (random.chance(0.5)) {
        await server.start();
        await redis!.start();
      } else {
        await redis!.start();
        await server.start();
      }
    },
  },
  {
    ...common,
    name: "all machines killed at once",
    times: 1,
    async run({ cluster: { machines }, random }) {
      await Promise.all(machines.map(({ server }) => server.kill()));
      await sleep(random.int(0, 300));
      await Promise.all(machines.map(({ server }) => server.start()));
    },
  },
  {
    ...common,
    name: "machines restarted one after another",
    times: 1,
    async run({ cluster: { machines }, history }) {
      for (const machine of machines) {
        await stopInOrder(machine, history);
        await machine.server.start();
      }
    },
  },
  {
    ...common,
    name: "the newest message is not told to the other machines",
    times: 2,
    inQuiet: true,
    async run({ cluster: { redisProxies }, writeOne }) {
      // A later message of the room would show that this one is missing.
      await loseWhatIsToldNow(redisProxies, writeOne);
    },
  },
  {
    ...common,
    name: "Redis away in quiet",
    times: 1,
    inQuiet: true,
    async run({ cluster: { redis }, measureCrossing }) {
      await measureCrossing("while Redis is there");
      await redis!.kill();
      await measureCrossing("while Redis is away");
      await redis!.start();
    },
  },
  {
    ...common,
    name: "Redis frozen in quiet",
    times: 1,
    inQuiet: true,
    async run({ cluster: { redis }, measureCrossing }) {
      redis!.pause();
      await measureCrossing("while Redis is frozen");
      redis!.resume();
    },
  },
  {
    ...common,
    name: "one machine cut off from Redis in quiet",
    times: 1,
    inQuiet: true,
    async run({ machine: { redisProxy }, measureCrossing }) {
      redisProxy!.partition();
      await measureCrossing("while one machine is cut off from Redis");
      redisProxy!.heal();
    },
  },
];

async function partition(
  proxies: readonly FaultProxy[],
  ms: number,
): Promise<void> {
  for (const proxy of proxies) proxy.partition();
  await sleep(ms);
  for (const proxy of proxies) proxy.heal();
}

/** Every line to Redis is lost together with what is told on it at this moment. */
async function loseWhatIsToldNow(
  proxies: readonly FaultProxy[],
  tell: ServerFaultParts["writeOne"],
): Promise<void> {
  holdAnswers(proxies);
  tell();
  await sleep(200);
  for (const proxy of proxies) proxy.cutAll("reset");
}
