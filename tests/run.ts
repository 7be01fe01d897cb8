/**
 * The whole test command: `deno task test [--only=unit|pglite|postgres|browser] [--strict] [files or folders]`.
 * With `--shows` it runs what needs a quiet machine in place of the tests, a file at a time.
 *
 * Runs four sections, two at a time, says what each did and names what could not be run. With
 * `CI=true` or `--strict` a part left out is a failure. The last line is `N passed, N failed`; the
 * exit status is 1 when anything failed or nothing ran.
 */

import { parseArgs } from "node:util";
import { type JunitCounts, readJunit } from "./helpers/junit.ts";
import { LANES, type Section, SECTIONS } from "./helpers/sections.ts";
import { runOrThrow } from "./helpers/system.ts";

/** Tests that take longer than this together hang: they are ended and count as failed. In milliseconds. */
const LIMIT_MS = 20 * 60_000;

/** How long ended tests get to say which of them hung, in milliseconds. */
const LAST_WORDS_MS = 10_000;

/**
 * PostgreSQL as WebAssembly is compiled once, quickly: to compile what is used often again, better, takes
 * a second of computing for each app, and few tests live long enough to win it back.
 */
const QUICK_TO_COMPILE = "--v8-flags=--liftoff-only";

/** The files that take longest, longest first: begun last, one of them would keep its section waiting. */
const LONG_FILES = [
  "tests/faults/short_test.ts",
  "tests/faults/postgres_machines_test.ts",
  "tests/faults/postgres_database_away_test.ts",
  "tests/realtime/machines/postgres_redis_away_test.ts",
  "tests/process_test.ts",
  "tests/container_test.ts",
  "tests/process_faults_test.ts",
  "realtime/cluster/redis_cluster_test.ts",
  "db/tools/backup_test.ts",
  "tests/front/slow_clients_test.ts",
  "tests/http/code_mail_test.ts",
  "tests/faults/postgres_pool_faults_test.ts",
  "db/engine/pglite_test.ts",
  "tests/realtime/postgres_shutdown_test.ts",
  "tests/realtime/machines/postgres_killed_machine_test.ts",
  "tests/front/postgres_rolling_restart_test.ts",
  "db/engine/postgres_test.ts",
  "tests/http/openapi_test.ts",
];

interface Outcome extends JunitCounts {
  readonly name: string;
  readonly seconds: number;
  /** What did not run, and why. */
  readonly leftOut: readonly string[];
}

/**
 * Files below the current folder whose names end so, as git would list them: relative, with forward
 * slashes.
 */
async function findFiles(end: RegExp, folder = "."): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      if (!/^(\.|node_modules$|static$|artifacts$)/.test(entry.name)) {
        found.push(...await findFiles(end, path));
      }
    } else if (end.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** The tests; or what is shown on a quiet machine: files of their own, and tests that then look at the time. */
async function findTests(isShow: boolean): Promise<string[]> {
  const tests = await findFiles(/_test\.tsx?$/);
  if (!isShow) return tests;
  const timed: string[] = [];
  for (const file of tests) {
    const text = await Deno.readTextFile(file);
    if (/from ".*\/helpers\/timing\.ts"/.test(text)) timed.push(file);
  }
  return [...timed, ...await findFiles(/_show\.ts$/)];
}

/** @param jobs files at the same time; as many as the section says by default */
async function runSection(
  section: Section,
  files: readonly string[],
  jobs = section.jobs,
): Promise<Outcome> {
  const { name } = section;
  say(`\n=== ${name}: ${section.what} (${files.length} files)`);
  const started = Date.now();
  const outcome = (counts: JunitCounts, leftOut: string[] = []): Outcome => ({
    ...{ name, seconds: (Date.now() - started) / 1_000, leftOut },
    ...counts,
  });
  const nothing = { passed: 0, failed: 0, failures: [], ignored: [] };
  if (files.length === 0) return outcome(nothing, ["it has no tests"]);
  const prepared = await section.prepare(say);
  if (typeof prepared === "string") return outcome(nothing, [prepared]);
  await using _ = prepared;
  const rank = (file: string) => (LONG_FILES.indexOf(file) + 1) || Infinity;
  const counts = await denoTest(
    section,
    files.toSorted((a, b) => rank(a) === rank(b) ? 0 : rank(a) - rank(b)),
    jobs,
    prepared.env,
  );
  return outcome(counts, counts.ignored.map((test) => `ignored: ${test}`));
}

async function denoTest(
  section: Section,
  files: readonly string[],
  jobs: number,
  env: Record<string, string>,
): Promise<JunitCounts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "-A", "--no-check", "--parallel", QUICK_TO_COMPILE],
        ...section.sanitize ? ["--sanitize-ops", "--sanitize-resources"] : [],
        ...[`--junit-path=${report}`, ...files],
      ],
      env: { ...env, DENO_JOBS: String(jobs) },
      stdin: "null",
    }).spawn();
    const limit = setTimeout(() => {
      say(`ended: they ran for more than ${LIMIT_MS / 60_000} minutes`);
      child.kill("SIGINT");
    }, LIMIT_MS);
    const end = setTimeout(
      () => child.kill("SIGKILL"),
      LIMIT_MS + LAST_WORDS_MS,
    );
    const { success } = await child.status;
    clearTimeout(limit);
    clearTimeout(end);
    const counts = readJunit(await Deno.readTextFile(report));
    // A file that does not load, or a process that was ended, fails without a failing test.
    return success || counts.failed > 0 ? counts : {
      ...counts,
      failed: 1,
      failures: ["a file did not load, or its process was ended: see above"],
    };
  } finally {
    await Deno.remove(report);
  }
}

// deno-lint-ignore no-console -- the report of the test command is its output.
const say = (line: string) => console.log(line);

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: Deno.args.filter((argument) => argument !== "--"),
    options: {
      only: { type: "string", multiple: true },
      shows: { type: "boolean", default: false },
      strict: { type: "boolean", default: Deno.env.get("CI") === "true" },
    },
    allowPositionals: true,
  });
  const wanted = new Set(values.only?.flatMap((names) => names.split(",")));
  for (const name of wanted) {
    if (!SECTIONS.some((section) => section.name === name)) {
      throw new Error(`--only=${name}: there is no such section`);
    }
  }
  const chosen = positionals.map((path) => path.replace(/^\.\/|\/$/g, ""));
  const files = (await findTests(values.shows)).filter((file) =>
    chosen.length === 0 ||
    chosen.some((path) => file === path || file.startsWith(`${path}/`))
  );
  if (values.shows) Deno.env.set("CHATKET_SHOWS", "yes");
  say("=== build: what the browser gets");
  await runOrThrow(Deno.execPath(), ["task", "-q", "build"]);
  // On a quiet machine nothing runs beside another.
  const lanes = values.shows ? [SECTIONS] : LANES;
  const outcomes = await Promise.all(lanes.map(async (lane) => {
    const ofLane: Outcome[] = [];
    for (const section of lane) {
      if (wanted.size > 0 && !wanted.has(section.name)) continue;
      const own = files.filter(section.owns);
      if (chosen.length > 0 && own.length === 0) continue;
      const jobs = values.shows ? 1 : undefined;
      ofLane.push(await runSection(section, own, jobs));
    }
    return ofLane;
  }));
  return summarise(outcomes.flat(), values.strict);
}

/** @returns whether all is well */
function summarise(outcomes: readonly Outcome[], strict: boolean): boolean {
  say("\n=== summary");
  let passed = 0;
  let failed = 0;
  for (const outcome of outcomes) {
    passed += outcome.passed;
    failed += outcome.failed;
    const seconds = outcome.seconds.toFixed(0);
    say(
      `${outcome.name}: ${outcome.passed} passed, ${outcome.failed} failed (${seconds} s)`,
    );
    for (const failure of outcome.failures) {
      say(`${outcome.name}: FAILED: ${failure}`);
    }
    for (const reason of outcome.leftOut) {
      say(`${outcome.name}: NOT RUN: ${reason}`);
      if (strict) failed++;
    }
  }
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

const isWell = await main().catch((error: Error) => {
  say(`${error.message}\n0 passed, 1 failed`);
  return false;
});
if (!isWell) Deno.exit(1);
