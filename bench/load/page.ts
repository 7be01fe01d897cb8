/** One reader asks for pages, one after another, over one kept-alive connection. */

import { Agent, get } from "node:http";
import { percentile } from "./figures.ts";
import { type Job, type Metrics, portOf } from "./job.ts";
import { cpuSecondsOfAll } from "./proc.ts";

const WARMUP_REQUESTS = 100;
const REQUESTS = 400;

interface Answer {
  ms: number;
  /** Of the body, as they came over the wire. */
  bytes: number;
}

/** For each named path: `NAMEP50Ms`, `NAMEP99Ms`, `NAMEBytes`, `NAMEGzipBytes`, `NAMEServerMicros`. */
export async function page(job: Job): Promise<Metrics> {
  const metrics: Metrics = {};
  for (const [name, path] of Object.entries(job.paths!)) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (encoding: string) => fetchOnce(job, path, encoding, agent);
    for (let i = 0; i < WARMUP_REQUESTS; i++) await ask("gzip");
    const cpu = cpuSecondsOfAll(job.serverPids);
    const times: number[] = [];
    for (let i = 0; i < REQUESTS; i++) times.push((await ask("gzip")).ms);
    metrics[`${name}ServerMicros`] = (cpuSecondsOfAll(job.serverPids) - cpu) *
      1e6 /
      REQUESTS;
    metrics[`${name}P50Ms`] = percentile(times, 0.5);
    metrics[`${name}P99Ms`] = percentile(times, 0.99);
    metrics[`${name}Bytes`] = (await ask("identity")).bytes;
    metrics[`${name}GzipBytes`] = (await ask("gzip")).bytes;
    agent.destroy();
  }
  return metrics;
}

function fetchOnce(
  job: Job,
  path: string,
  encoding: string,
  agent: Agent,
): Promise<Answer> {
  const { token } = job.people[0]!;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    get({
      agent,
      host: "127.0.0.1",
      port: portOf(job, 0),
      path,
      headers: {
        "accept-encoding": encoding,
        authorization: `Bearer ${token}`,
        cookie: `chatket_session=${token}`,
      },
    }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Uint8Array) => bytes += chunk.length);
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) {
          resolve({ ms: performance.now() - startedAt, bytes });
        } else reject(new Error(`${path} answered ${response.statusCode}`));
      });
    }).on("error", reject);
  });
}
