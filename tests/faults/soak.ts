/**
 * `deno task soak [--minutes=N] [--engine=postgres|pglite] [--machines=N] [--seed=S]`: the fault run,
 * for as long as wanted; without `--minutes` one pass over all faults. With `--machines` so many server
 * processes share a PostgreSQL and a Redis, and clients come back to any of them.
 *
 * `--kills=N` kills a server N times under load and nothing else. `--only=PATTERN` leaves out faults of
 * the server whose name it does not fit. `--stop-at-first` ends with the
 * first broken promise. The seed that is printed brings the schedule back.
 * Exit status 1 when a promise was not kept.
 */

import { parseArgs } from "node:util";
import { faultRun, type FaultRunResult } from "./fault_run.ts";

// deno-lint-ignore no-console -- the report is this program's output.
const say = (line: string) => console.log(line);

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: Deno.args.filter((argument) => argument !== "--"),
    options: {
      minutes: { type: "string" },
      engine: { type: "string", default: "postgres" },
      seed: { type: "string" },
      machines: { type: "string", default: "1" },
      kills: { type: "string" },
      only: { type: "string" },
      "stop-at-first": { type: "boolean", default: false },
    },
  });
  const { engine } = values;
  if (engine !== "postgres" && engine !== "pglite") {
    throw new Error(`--engine=${engine}: postgres or pglite is accepted`);
  }
  const result = await faultRun({
    engine,
    machines: number("machines", values.machines),
    seed: values.seed === undefined
      ? randomSeed()
      : number("seed", values.seed),
    stopAtFirst: values["stop-at-first"],
    ...values.minutes === undefined
      ? {}
      : { durationMs: number("minutes", values.minutes) * 60_000 },
    ...values.only === undefined ? {} : { only: new RegExp(values.only) },
    ...values.kills === undefined
      ? {}
      : { kills: number("kills", values.kills) },
    say,
  });
  report(`${engine}, machines: ${values.machines}`, result);
  return result.violations.length === 0;
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`--${name}=${text}: a number is accepted`);
  return value;
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

function report(where: string, result: FaultRunResult): void {
  const list = (entries: ReadonlyMap<string, number>) =>
    [...entries].sort(([a], [b]) => a.localeCompare(b))
      .map(([name, times]) => `  ${String(times).padStart(8)}  ${name}`);
  const faults = [...result.faults.values()].reduce((a, b) => a + b, 0);
  say(`\nseed ${result.seed}, ${where}, ${result.seconds.toFixed(0)} s`);
  say(`${faults} faults:`);
  for (const line of list(result.faults)) say(line);
  say("what happened:");
  for (const line of list(result.counts)) say(line);
  say(`${result.stored} messages stored`);
  for (const [kind, times] of result.crossings) {
    say(`from one machine to another ${kind}: ${describeTimes(times)}`);
  }
  say(`\n${result.violations.length} violations`);
}

/** The middle and the longest of times in milliseconds. */
function describeTimes(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `p50 ${middle.toFixed(0)} ms, longest ${
    sorted.at(-1)?.toFixed(0)
  } ms of ${times.length}`;
}

if (import.meta.main) Deno.exit(await main() ? 0 : 1);
