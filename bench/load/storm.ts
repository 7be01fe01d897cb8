/** Everybody lost the line, missed the same number of messages and comes back at once. */

import { Client, forEachAtOnce } from "./client.ts";
import { percentile, sleep, sum } from "./figures.ts";
import { type Job, type Metrics, portOf } from "./job.ts";
import { cpuSecondsOfAll, familyCpuSeconds } from "./proc.ts";

/** Connections being made at once: a listening socket's queue is not what is measured. */
const AT_ONCE = 200;

/** What was missed must have come within this time, in milliseconds. */
const PATIENCE_MS = 30_000;

export async function storm(job: Job): Promise<Metrics> {
  const clients: Client[] = [];
  const times: number[] = [];
  const before = {
    server: cpuSecondsOfAll(job.serverPids),
    postgres: familyCpuSeconds(job.postgresPid!),
  };
  const startedAt = performance.now();
  await forEachAtOnce(job.people, AT_ONCE, async ({ token }, index) => {
    const client = await Client.open(portOf(job, index), token);
    clients.push(client);
    const roomId = job.rooms[index % job.rooms.length]!;
    await client.request("rooms:sync", {
      rooms: [{ roomId, ...job.position }],
    });
    times.push(performance.now() - startedAt);
  });
  const synced = performance.now();
  const missing = () =>
    sum(clients, ({ wire }) => Math.max(0, job.missed! - wire.marks));
  while (missing() > 0 && performance.now() < synced + PATIENCE_MS) {
    await sleep(5);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const replayed = sum(clients, ({ wire }) => wire.marks);
  return {
    recoveredSeconds: seconds,
    syncP50Ms: percentile(times, 0.5),
    syncP99Ms: percentile(times, 0.99),
    replayedPerSecond: replayed / seconds,
    serverMicrosPerClient: (cpuSecondsOfAll(job.serverPids) - before.server) *
      1e6 /
      clients.length,
    postgresMicrosPerClient:
      (familyCpuSeconds(job.postgresPid!) - before.postgres) * 1e6 /
      clients.length,
    lost: missing(),
  };
}
