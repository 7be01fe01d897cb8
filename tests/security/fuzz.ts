/**
 * `deno task fuzz --minutes=N [--seed=S]`: random requests, cookies, cursors and frames against a
 * server of its own. Prints what was sent and answered; exit status 1 when anything was wrong.
 */

import { parseArgs } from "node:util";
import { startFuzzApp } from "./fuzz_app.ts";
import { fuzz } from "./fuzzer.ts";

/** Memory is looked at this often, in milliseconds: a leak shows between two looks. */
const SLICE_MS = 20_000;

/** Between the first look and the last the heap may grow by this much, in bytes. */
const MAX_GROWTH = 48 * 1024 * 1024;

// deno-lint-ignore no-console -- the report of the run is its output.
const say = (line: string) => console.log(line);

const { values } = parseArgs({
  args: Deno.args.filter((argument) => argument !== "--"),
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
const end = Date.now() + Number(values.minutes) * 60_000;
if (!(end > Date.now()) || !Number.isSafeInteger(seed)) {
  say("--minutes: a number above 0; --seed: a whole number");
  Deno.exit(1);
}
say(`seed ${seed}`);

function heapMegabytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed;
}

const { app, complaints } = await startFuzzApp();
const faults: string[] = [];
let first: number | undefined;
let growth = 0;
for (let slice = 0; Date.now() < end; slice++) {
  const sliceEnd = Math.min(Date.now() + SLICE_MS, end);
  const counts = await fuzz(app, {
    seed: seed + slice,
    goesOn: () => Date.now() < sliceEnd,
  });
  faults.push(...counts.faults);
  const heap = heapMegabytes();
  growth = heap - (first ??= heap);
  const list = (map: Map<number, number>) =>
    [...map].sort(([a], [b]) => a - b).map(([key, n]) => `${key}: ${n}`)
      .join(", ");
  say(
    `slice ${slice}: ${counts.requests} requests (${list(counts.statuses)}); ` +
      `${counts.frames} frames on ${counts.sockets} sockets (closed: ${
        list(counts.closes) || "none"
      }); heap ${(heap / 1_048_576).toFixed(0)} MiB`,
  );
}
const health = await fetch(`${app.origin}/ready`);
if (health.status !== 200) faults.push(`/ready: ${await health.text()}`);
else await health.body?.cancel();
await app[Symbol.asyncDispose]();
faults.push(...complaints);
if (growth > MAX_GROWTH) faults.push(`the heap grew by ${growth} bytes`);
for (const fault of faults.slice(0, 20)) say(`FAULT ${fault}`);
say(`${faults.length} faults`);
Deno.exit(faults.length === 0 ? 0 : 1);
