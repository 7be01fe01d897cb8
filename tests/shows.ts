/**
 * `deno task shows [--only=NAME] [--minutes=N]`: all that needs a quiet machine, one after another. The gate
 * has a short test of what can be tested in a few seconds; the cut of a socket that answers no ping for 30 s,
 * memory and speed are shown here alone. Exit status 1 when a promise is not kept.
 */

import { parseArgs } from "node:util";

/** How long each soak lasts, in minutes, unless it is said. */
const SOAK_MINUTES = "10";

interface Show {
  readonly name: string;
  readonly what: string;
  readonly args: readonly string[];
}

function listShows(minutes: string): Show[] {
  const soak = (...more: string[]) => [
    ...["tests/faults/soak.ts", `--minutes=${minutes}`],
    ...more,
  ];
  return [
    {
      name: "timed",
      what: "memory under attack, speed, and every promise of a time",
      args: ["tests/run.ts", "--shows"],
    },
    {
      name: "soak",
      what: "everything breaks: one process on PostgreSQL",
      args: soak("--engine=postgres"),
    },
    {
      name: "soak-machines",
      what: "everything breaks: three processes, PostgreSQL and Redis",
      args: soak("--engine=postgres", "--machines=3"),
    },
    {
      name: "soak-embedded",
      what: "everything breaks: the embedded database",
      args: soak("--engine=pglite"),
    },
    {
      name: "fuzz",
      what: "random requests and frames, and the memory they leave",
      args: [
        ...["--v8-flags=--expose-gc", "tests/security/fuzz.ts"],
        `--minutes=${minutes}`,
      ],
    },
  ];
}

// deno-lint-ignore no-console -- the report is this program's output.
const say = (line: string) => console.log(line);

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: Deno.args.filter((argument) => argument !== "--"),
    options: {
      only: { type: "string" },
      minutes: { type: "string", default: SOAK_MINUTES },
    },
  });
  const all = listShows(values.minutes);
  const chosen = all.filter(({ name }) => (values.only ?? name) === name);
  if (chosen.length === 0) {
    throw new Error(
      `--only=${values.only}: ${all.map(({ name }) => name).join(", ")}`,
    );
  }
  const failed: string[] = [];
  for (const { name, what, args } of chosen) {
    say(`\n=== ${name}: ${what}`);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", ...args],
      stdin: "null",
    }).spawn().status;
    if (!success) failed.push(name);
  }
  say(`\n${chosen.length - failed.length} shown, ${failed.length} failed`);
  for (const name of failed) say(`FAILED: ${name}`);
  return failed.length === 0;
}

if (import.meta.main) Deno.exit(await main() ? 0 : 1);
