/**
 * The whole test command: `deno task test [--only=unit|pglite|postgres|browser] [--strict] [files or folders]`.
 *
 * Runs four sections, says what each did and names what could not be run. With `CI=true` or
 * `--strict` a part left out is a failure. The last line is `N passed, N failed`; the exit status is
 * 1 when anything failed or nothing ran.
 */

import { parseArgs } from "node:util";
import { chromiumMissing } from "./helpers/browser.ts";
import { type JunitCounts, readJunit } from "./helpers/junit.ts";
import { runOrThrow } from "./helpers/system.ts";
import { pgbouncerMissing } from "./helpers/pgbouncer.ts";
import { postgresMissing, startPostgres } from "./helpers/postgres.ts";
import { redisMissing } from "./helpers/redis.ts";

/** Tests that take longer than this together hang: they are ended and count as failed. In milliseconds. */
const LIMIT_MS = 20 * 60_000;

/** How long ended tests get to say which of them hung, in milliseconds. */
const LAST_WORDS_MS = 10_000;

/** Test files that run at the same time. Each may hold an embedded database of 300 MB. */
const PARALLEL_FILES = 3;

/** Folders whose tests run on both engines. */
const ENGINE_FOLDERS = [
  "db",
  "tests/http",
  "tests/realtime",
  "tests/security",
  "tests/faults",
  "tests/front",
];
/** Tests that measure time or memory, or leave little of it to others: after the others, with the machine to themselves. */
const ALONE_FILES = [
  "tests/faults/postgres_machines_test.ts",
  "tests/faults/postgres_stuck_reader_test.ts",
  "tests/security/postgres_memory_test.ts",
];
const BROWSER_FOLDERS = ["tests/browser"];

interface Section {
  readonly name: string;
  readonly what: string;
  /** Whether a test file belongs to the section. */
  readonly owns: (file: string) => boolean;
  /**
   * Whether each test must leave no timer or resource behind. Where the tests of a file share an app
   * or a pool its timers outlive each test; there tests/leaks_test.ts looks at a whole life instead.
   */
  readonly sanitize: boolean;
  /** Prepares and gives the environment, and takes down again; a text says why it cannot run. */
  prepare(): Promise<string | Prepared>;
}

interface Prepared {
  readonly env: Record<string, string>;
  readonly dispose?: () => PromiseLike<void>;
}

interface Outcome extends JunitCounts {
  readonly name: string;
  readonly seconds: number;
  /** What did not run, and why. */
  readonly leftOut: readonly string[];
}

/** Tests of one engine alone are in files that begin with its name. */
const notOnlyFor = (engine: string) => (file: string) =>
  !new RegExp(`(^|/)${engine}_[^/]*$`).test(file);

const within = (folders: readonly string[]) => (file: string) =>
  folders.some((folder) => file.startsWith(`${folder}/`));

const SECTIONS: readonly Section[] = [
  {
    name: "unit",
    what: "unit and repository tests",
    sanitize: true,
    owns: (file) => !within([...ENGINE_FOLDERS, ...BROWSER_FOLDERS])(file),
    prepare: () => Promise.resolve({ env: { CHATKET_TEST_ENGINE: "pglite" } }),
  },
  {
    name: "pglite",
    what: "behaviour on the embedded database",
    sanitize: false,
    owns: (file) =>
      within(ENGINE_FOLDERS)(file) && notOnlyFor("postgres")(file),
    prepare: () => Promise.resolve({ env: { CHATKET_TEST_ENGINE: "pglite" } }),
  },
  {
    name: "postgres",
    what: "behaviour on a PostgreSQL server",
    sanitize: false,
    owns: (file) => within(ENGINE_FOLDERS)(file) && notOnlyFor("pglite")(file),
    prepare: preparePostgres,
  },
  {
    name: "browser",
    what: "journeys in Chromium",
    sanitize: false,
    owns: within(BROWSER_FOLDERS),
    async prepare() {
      const missing = await chromiumMissing();
      return missing ?? { env: { CHATKET_TEST_ENGINE: "pglite" } };
    },
  },
];

async function preparePostgres(): Promise<string | Prepared> {
  // Tests that need them are ignored without them, and named in the summary.
  // Both are looked for here, one after the other: their installations would be in each other's way.
  for (const missing of [await redisMissing(), await pgbouncerMissing()]) {
    if (missing !== undefined) say(missing);
  }
  const env = { CHATKET_TEST_ENGINE: "postgres" };
  const given = Deno.env.get("TEST_DATABASE_URL");
  if (given) return { env: { ...env, TEST_DATABASE_URL: given } };
  const missing = await postgresMissing();
  if (missing !== undefined) return missing;
  const cluster = await startPostgres();
  say(cluster.version);
  return {
    env: { ...env, TEST_DATABASE_URL: cluster.url() },
    dispose: () => cluster[Symbol.asyncDispose](),
  };
}

/** Test files below the current folder, as git would list them: relative, with forward slashes. */
async function findTests(folder = "."): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      if (!/^(\.|node_modules$|static$|artifacts$)/.test(entry.name)) {
        found.push(...await findTests(path));
      }
    } else if (/_test\.tsx?$/.test(entry.name)) found.push(path);
  }
  return found.sort();
}

async function runSection(section: Section, files: string[]): Promise<Outcome> {
  const started = Date.now();
  const outcome = (counts: JunitCounts, leftOut: string[] = []): Outcome => ({
    name: section.name,
    seconds: (Date.now() - started) / 1000,
    leftOut,
    ...counts,
  });
  const nothing = { passed: 0, failed: 0, failures: [], ignored: [] };
  if (files.length === 0) return outcome(nothing, ["it has no tests"]);
  const prepared = await section.prepare();
  if (typeof prepared === "string") return outcome(nothing, [prepared]);
  try {
    const alone = files.filter((file) => ALONE_FILES.includes(file));
    const together = files.filter((file) => !alone.includes(file));
    const counts: JunitCounts[] = [];
    for (
      const [group, jobs] of [[together, PARALLEL_FILES], [alone, 1]] as const
    ) {
      if (group.length === 0) continue;
      counts.push(await denoTest(section, group, jobs, prepared.env));
    }
    const ignored = counts.flatMap((each) => each.ignored);
    return outcome({
      passed: counts.reduce((sum, each) => sum + each.passed, 0),
      failed: counts.reduce((sum, each) => sum + each.failed, 0),
      failures: counts.flatMap((each) => each.failures),
      ignored,
    }, ignored.map((name) => `ignored: ${name}`));
  } finally {
    await prepared.dispose?.();
  }
}

async function denoTest(
  section: Section,
  files: string[],
  jobs: number,
  env: Record<string, string>,
): Promise<JunitCounts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "-A", "--no-check", "--parallel"],
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
  const files = (await findTests()).filter((file) =>
    chosen.length === 0 ||
    chosen.some((path) => file === path || file.startsWith(`${path}/`))
  );

  say("=== build: what the browser gets");
  await runOrThrow(Deno.execPath(), ["task", "-q", "build"]);

  const outcomes: Outcome[] = [];
  for (const section of SECTIONS) {
    if (wanted.size > 0 && !wanted.has(section.name)) continue;
    const own = files.filter(section.owns);
    if (chosen.length > 0 && own.length === 0) continue;
    say(`\n=== ${section.name}: ${section.what} (${own.length} files)`);
    outcomes.push(await runSection(section, own));
  }
  return summarise(outcomes, values.strict);
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
