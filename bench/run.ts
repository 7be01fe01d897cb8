/**
 * Measures ChatKet beside the bare runtime, and beside another checkout of itself when one is given, and
 * writes the table into bench/README.md.
 *
 *   deno task bench [--only=1,3] [--runs=3] [--seconds=8] [--warmup=3] [--against=DIR] [--dry] [--profile]
 *
 * `--against` measures the checkout in a folder by turns with this one, and is always dry. `--dry` leaves the README as it is. `--profile` shows where each Deno server spends its time while
 * it is loaded, and costs some of it, so it is always dry.
 */

import { parseArgs } from "node:util";
import { startBenchPostgres } from "./database.ts";
import { ENTRIES } from "./entries.ts";
import { measureCommits } from "./commits.ts";
import type { Metrics } from "./load/job.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { report, type Results, writeReadme } from "./report.ts";
import { prepareTargets } from "./targets.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    warmup: { type: "string", default: "3" },
    against: { type: "string" },
    dry: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});
const only = options.only?.split(",").map(Number);
const wanted = ENTRIES.filter((entry) =>
  (only === undefined || only.includes(entry.scenario)) &&
  (entry.target !== "against" || options.against !== undefined)
);
// The servers of one scenario one after another, so that the machine's moods meet all of them.
wanted.sort((a, b) => a.scenario - b.scenario);
const loadBefore = Deno.loadavg()[0]!;
const timing = {
  seconds: Number(options.seconds),
  warmupSeconds: Number(options.warmup),
};
const results: Results = new Map();
const add = (key: string, metrics: Metrics) => {
  const runs = results.get(key);
  if (runs === undefined) results.set(key, [metrics]);
  else runs.push(metrics);
};

await prepareTargets(options.against);
await using postgres = await startBenchPostgres();
for (let run = 1; run <= Number(options.runs); run++) {
  const ofRun = new Map<string, Metrics>();
  add("commits", await measureCommits(postgres, timing.seconds / 2));
  for (const entry of wanted) {
    say(`run ${run}: ${entry.key}`);
    try {
      const metrics = await measure(entry, {
        postgres,
        timing,
        against: options.against,
        earlier: ofRun,
        profile: options.profile ? say : undefined,
      });
      ofRun.set(entry.key, metrics);
      add(entry.key, metrics);
      say(` ${shown(metrics)}\n`);
    } catch (error) {
      // One server that falls over must not cost the figures of the others.
      say(` failed: ${error}\n`);
    }
  }
}
const text = report(results, {
  machine: await describeMachine(postgres.version),
  loadBefore,
  runs: Number(options.runs),
  ...timing,
  isCompared: options.against !== undefined,
});
say(`\n${text}\n`);
const isDry = options.dry || options.profile || options.against !== undefined;
if (!isDry) await writeReadme(text);

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function shown(metrics: Metrics): string {
  return Object.entries(metrics).filter(([, value]) => value !== null).map(
    ([name, value]) => `${name}=${Number(value.toPrecision(4))}`,
  ).join(" ");
}
