/** What can happen to a server and its database. Each fault leaves both running again. */

import type { Engine } from "../helpers/database.ts";
import type { TestCluster } from "./test_cluster.ts";
import type { History } from "./history.ts";
import type { Machine } from "./machine.ts";
import type { FaultProxy } from "./proxy.ts";
import type { Random } from "./random.ts";
import { STOP_LIMIT_MS } from "./server_process.ts";
import { sleep } from "./sleep.ts";

/** A server that is on its way down has its signal handlers for sure this long after it serves, in milliseconds. */
const SETTLED_START_MS = 100;

/** The server refuses a message when it could not be stored for this long, in milliseconds. */
const SERVER_PATIENCE_MS = 5_000;

/** A slow line's delay each way, in milliseconds. */
const SLOW_LINE_MS = 300;

/** Most clients are back this long after the last fault, in milliseconds. */
const COME_BACK_MS = 2_000;

export interface ServerFaultParts {
  readonly cluster: TestCluster;
  /** The server process that is meant, when it is one. */
  readonly machine: Machine;
  readonly random: Random;
  readonly history: History;
  /** Those of the clients. */
  readonly clientProxies: readonly FaultProxy[];
  /** Somebody writes one message in the quietest room. */
  readonly writeOne: () => void;
  /** Takes how long it took, in milliseconds, until a message that was acked here was heard there. */
  readonly measureCrossing: (kind: string) => Promise<void>;
}

export interface ServerFault {
  readonly name: string;
  readonly engines: readonly Engine[];
  /** How often in one pass. */
  readonly times: number;
  /** Whether it comes in the quiet after a round: it shows only if nothing is written after it. */
  readonly inQuiet?: boolean;
  readonly run: (parts: ServerFaultParts) => Promise<void>;
}

const BOTH: readonly Engine[] = ["postgres", "pglite"];
const POSTGRES: readonly Engine[] = ["postgres"];

export const SERVER_FAULTS: readonly ServerFault[] = [
  {
    name: "server killed (SIGKILL)",
    engines: BOTH,
    times: 2,
    async run({ machine: { server }, random }) {
      await server.kill();
      await sleep(random.int(0, 500));
      await server.start();
    },
  },
  {
    name: "server killed while it starts",
    engines: BOTH,
    times: 1,
    async run({ machine: { server }, random }) {
      await server.kill();
      server.spawn();
      await sleep(random.int(20, 400));
      await server.kill();
      await server.start();
    },
  },
  {
    name: "server stopped (SIGTERM)",
    engines: BOTH,
    times: 1,
    async run({ machine, random, history }) {
      await sleep(SETTLED_START_MS);
      await stopInOrder(machine, history);
      await sleep(random.int(0, 300));
      await machine.server.start();
    },
  },
  {
    name: "server paused (SIGSTOP)",
    engines: BOTH,
    times: 1,
    async run({ machine: { server }, random }) {
      server.pause();
      await sleep(random.int(200, 2_500));
      server.resume();
    },
  },
  {
    name: "database stopped (fast)",
    engines: POSTGRES,
    times: 1,
    run: (parts) => restartDatabase(parts, "fast"),
  },
  {
    name: "database stopped (immediate)",
    engines: POSTGRES,
    times: 2,
    run: (parts) => restartDatabase(parts, "immediate"),
  },
  {
    name: "database paused (SIGSTOP)",
    engines: POSTGRES,
    times: 1,
    async run({ cluster: { postgres }, random }) {
      await postgres!.pause();
      await sleep(random.int(200, 3_000));
      await postgres!.resume();
    },
  },
  {
    name: "database sessions ended",
    engines: POSTGRES,
    times: 1,
    run: ({ cluster }) => cluster.terminateBackends(),
  },
  {
    name: "database lines reset",
    engines: POSTGRES,
    times: 2,
    async run({ cluster: { databaseProxies } }) {
      // The statement goes through, its answer does not.
      holdAnswers(databaseProxies);
      await sleep(30);
      for (const proxy of databaseProxies) proxy.cutAll("reset");
    },
  },
  {
    name: "database slow",
    engines: POSTGRES,
    times: 1,
    async run({ cluster: { databaseProxies }, random }) {
      const delayMs = random.int(20, 150);
      for (const proxy of databaseProxies) proxy.setDelay(delayMs);
      await sleep(random.int(500, 2_000));
      for (const proxy of databaseProxies) proxy.setDelay(0);
    },
  },
  {
    name: "database away after it stored, its answers lost",
    engines: POSTGRES,
    times: 1,
    inQuiet: true,
    async run({ cluster: { databaseProxies }, writeOne }) {
      // A later message of the room would show that this one is missing.
      holdAnswers(databaseProxies);
      writeOne();
      await sleep(100);
      for (const proxy of databaseProxies) proxy.partition();
      await sleep(SERVER_PATIENCE_MS + 500);
      for (const proxy of databaseProxies) proxy.refuse(false);
    },
  },
  {
    name: "database away and back while everybody comes back",
    engines: POSTGRES,
    times: 1,
    inQuiet: true,
    async run({ cluster: { databaseProxies }, clientProxies, writeOne }) {
      // With slow lines the database can go away between the upgrade, which asks it, and the sync.
      for (const proxy of clientProxies) {
        proxy.setDelay(SLOW_LINE_MS);
        proxy.cutAll("reset");
      }
      for (let times = 0; times < 4; times++) {
        await sleep(2 * SLOW_LINE_MS);
        for (const proxy of databaseProxies) proxy.partition();
        await sleep(2 * SLOW_LINE_MS);
        for (const proxy of databaseProxies) proxy.refuse(false);
      }
      for (const proxy of clientProxies) proxy.heal();
      await sleep(COME_BACK_MS);
      writeOne();
    },
  },
];

/** SIGTERM, which must end the server as promised. */
export async function stopInOrder(
  { server }: Machine,
  history: History,
): Promise<void> {
  const { code, ms } = await server.stop();
  if (code === 0) return;
  history.violate(
    "SIGTERM ends the server with status 0 in time",
    code === -1
      ? `killed after ${STOP_LIMIT_MS} ms`
      : `status ${code} after ${ms.toFixed(0)} ms`,
  );
}

/** What is asked goes through, what is answered does not. */
export function holdAnswers(proxies: readonly FaultProxy[]): void {
  for (const line of proxies.flatMap(({ lines }) => lines)) {
    line.down.setMode("hold");
  }
}

async function restartDatabase(
  { cluster: { postgres }, random }: ServerFaultParts,
  mode: "fast" | "immediate",
): Promise<void> {
  await postgres!.stop(mode);
  await sleep(random.int(0, 1_500));
  await postgres!.start();
}
