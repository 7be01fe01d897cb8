/** Many connect, sit idle, and then all enter one room. */

import { Client, forEachAtOnce } from "./client.ts";
import { percentile, sleep, sum } from "./figures.ts";
import { type Job, type Metrics, portOf } from "./job.ts";
import { cpuSecondsOfAll, residentBytes } from "./proc.ts";

/** Connections or joins on their way at once. */
const AT_ONCE = 100;

/** Time for memory to settle after the last connection, in milliseconds. */
const SETTLE_MS = 3_000;

/** Joins that have not been answered after this long are given up, in milliseconds. */
const JOIN_PATIENCE_MS = 60_000;

/**
 * Rosters are awaited for so long after the last join, in milliseconds: the larger the room, the later
 * its last one comes. Less than the 30 seconds after which who is silent goes offline.
 */
const ROSTER_PATIENCE_MS = 25_000;

/** The rosters of a room up to this size come sooner: within {@link SMALL_PATIENCE_MS}. */
const SMALL_ROOM = 1_000;
const SMALL_PATIENCE_MS = 6_000;

export async function crowd(job: Job): Promise<Metrics> {
  const emptyBytes = residentBytes(job.serverPids);
  const clients: Client[] = new Array(job.people.length);
  const connectedAt = performance.now();
  await forEachAtOnce(job.people, AT_ONCE, async ({ token }, index) => {
    clients[index] = await Client.open(portOf(job, index), token);
  });
  const connectSeconds = (performance.now() - connectedAt) / 1000;
  await sleep(SETTLE_MS);
  const idleBytes = residentBytes(job.serverPids);
  return {
    connectsPerSecond: clients.length / connectSeconds,
    idleBytesPerConnection: (idleBytes - emptyBytes) / clients.length,
    ...job.rooms.length === 0 ? {} : await joinAll(job, clients, emptyBytes),
  };
}

async function joinAll(
  job: Job,
  clients: readonly Client[],
  emptyBytes: number,
): Promise<Metrics> {
  const received = () => sum(clients, ({ wire }) => wire.bytes);
  const before = { bytes: received(), cpu: cpuSecondsOfAll(job.serverPids) };
  const joinTimes: number[] = [];
  const startedAt = performance.now();
  let lastJoinAt = startedAt;
  const joining = forEachAtOnce(clients, AT_ONCE, async (client) => {
    const askedAt = performance.now();
    if (askedAt - startedAt > JOIN_PATIENCE_MS) return;
    await client.join(job.rooms[0]!);
    lastJoinAt = performance.now();
    joinTimes.push(lastJoinAt - askedAt);
  }).catch(() => {});
  await Promise.race([joining, sleep(JOIN_PATIENCE_MS)]);
  const joined = joinTimes.length;
  await sleep(
    clients.length <= SMALL_ROOM ? SMALL_PATIENCE_MS : ROSTER_PATIENCE_MS,
  );
  const bytes = received();
  const cpu = cpuSecondsOfAll(job.serverPids) - before.cpu;
  return {
    joined,
    joinsPerSecond: joined / (lastJoinAt - startedAt) * 1000,
    joinP99Ms: percentile(joinTimes, 0.99),
    receivedBytesPerJoin: (bytes - before.bytes) / joined,
    serverMicrosPerJoin: cpu * 1e6 / joined,
    joinedBytesPerConnection: (residentBytes(job.serverPids) - emptyBytes) /
      clients.length,
  };
}
