/** The sections of the test run: which files each has, what it needs, and when it runs. */

import { chromiumMissing } from "./browser.ts";
import { type Engine, makeTemplate } from "./database.ts";
import { pgbouncerMissing } from "./pgbouncer.ts";
import { postgresMissing, startPostgres } from "./postgres.ts";
import { redisMissing } from "./redis.ts";
import { memoryFolder } from "./system.ts";

/** Folders whose tests run on both engines. */
const ENGINE_FOLDERS = [
  "db",
  "tests/http",
  "tests/realtime",
  "tests/security",
  "tests/faults",
  "tests/front",
];

/**
 * Files of those folders whose subject is not the database: documents, headers, mail, the front. Their
 * queries are those of other tests, and so they run on the server alone, where an app starts sooner.
 */
const SERVER_ONLY_FILES = new Set([
  "tests/http/asyncapi_test.ts",
  "tests/http/code_mail_test.ts",
  "tests/http/openapi_test.ts",
  "tests/http/requests_test.ts",
  "tests/http/security_test.ts",
  "tests/front/next_process_test.ts",
  "tests/front/slow_clients_test.ts",
]);

const BROWSER_FOLDERS = ["tests/browser"];

export interface Section {
  readonly name: string;
  readonly what: string;
  /** Whether a test file belongs to the section. */
  readonly owns: (file: string) => boolean;
  /**
   * Whether each test must leave no timer or resource behind. Where the tests of a file share an app
   * or a pool its timers outlive each test; there tests/leaks_test.ts looks at a whole life instead.
   */
  readonly sanitize: boolean;
  /**
   * Test files that run at the same time: few where they compute, each beside an embedded database of
   * 300 MB, more where they wait.
   */
  readonly jobs: number;
  /** Prepares and gives the environment, and takes down again; a text says why it cannot run. */
  prepare(say: (line: string) => void): Promise<string | Prepared>;
}

export interface Prepared extends AsyncDisposable {
  readonly env: Record<string, string>;
}

/** Tests of one engine alone are in files that begin with its name. */
const notOnlyFor = (engine: string) => (file: string) =>
  !new RegExp(`(^|/)${engine}_[^/]*$`).test(file);

const within = (folders: readonly string[]) => (file: string) =>
  folders.some((folder) => file.startsWith(`${folder}/`));

const UNIT: Section = {
  name: "unit",
  what: "unit and repository tests",
  sanitize: true,
  jobs: 3,
  owns: (file) => !within([...ENGINE_FOLDERS, ...BROWSER_FOLDERS])(file),
  prepare: () => prepareEngine("pglite"),
};

const PGLITE: Section = {
  name: "pglite",
  what: "behaviour on the embedded database",
  sanitize: false,
  jobs: 2,
  owns: (file) =>
    within(ENGINE_FOLDERS)(file) && notOnlyFor("postgres")(file) &&
    !SERVER_ONLY_FILES.has(file),
  prepare: () => prepareEngine("pglite"),
};

const POSTGRES: Section = {
  name: "postgres",
  what: "behaviour on a PostgreSQL server",
  sanitize: false,
  jobs: 4,
  owns: (file) => within(ENGINE_FOLDERS)(file) && notOnlyFor("pglite")(file),
  prepare: preparePostgres,
};

const BROWSER: Section = {
  name: "browser",
  what: "journeys in Chromium",
  sanitize: false,
  jobs: 2,
  owns: within(BROWSER_FOLDERS),
  prepare: async () => await chromiumMissing() ?? await prepareEngine("pglite"),
};

/**
 * Lanes run beside each other, the sections of a lane one after another. The embedded database keeps
 * a core busy, and what the other lane does first mostly waits: for time-outs, processes and servers.
 */
export const LANES: readonly (readonly Section[])[] = [
  [PGLITE, UNIT],
  [POSTGRES, BROWSER],
];

/** Every section, in the order in which the summary names them. */
export const SECTIONS: readonly Section[] = [UNIT, PGLITE, POSTGRES, BROWSER];

async function prepareEngine(engine: Engine): Promise<Prepared> {
  const template = await makeTemplate(engine);
  return {
    env: { CHATKET_TEST_ENGINE: engine, ...template.env },
    [Symbol.asyncDispose]: () => template[Symbol.asyncDispose](),
  };
}

async function preparePostgres(
  say: (line: string) => void,
): Promise<string | Prepared> {
  // Tests that need them are ignored without them, and named in the summary.
  // Both are looked for here, one after the other: their installations would be in each other's way.
  for (const missing of [await redisMissing(), await pgbouncerMissing()]) {
    if (missing !== undefined) say(missing);
  }
  const stack = new AsyncDisposableStack();
  let url = Deno.env.get("TEST_DATABASE_URL");
  if (!url) {
    const missing = await postgresMissing();
    if (missing !== undefined) return missing;
    const cluster = stack.use(
      await startPostgres({ folder: memoryFolder() }),
    );
    say(cluster.version);
    url = cluster.url();
  }
  try {
    const template = stack.use(await makeTemplate("postgres", url));
    return {
      env: {
        ...{ CHATKET_TEST_ENGINE: "postgres", TEST_DATABASE_URL: url },
        ...template.env,
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
