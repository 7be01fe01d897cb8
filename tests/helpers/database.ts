/** A database of one's own on the engine under test. */

import { type Database, openDatabase } from "../../db/engine/database.ts";
import { migrate } from "../../db/engine/migrate.ts";
import { silentLog } from "./log.ts";
import { execute } from "./postgres.ts";
import { memoryFolder, runOrThrow } from "./system.ts";

/**
 * Names a database that has the program's schema already, made once a run by `tests/run.ts`: a folder
 * of the embedded database, or a database on the server of `TEST_DATABASE_URL`. A copy is ready in a
 * fraction of the time that a new one takes. Unset, every test migrates a database of its own.
 */
const TEMPLATE_VARIABLE = "CHATKET_TEST_TEMPLATE";

export type Engine = "pglite" | "postgres";

/** What `CHATKET_TEST_ENGINE` says: the embedded database unless it is `postgres`. */
export function engineUnderTest(): Engine {
  const name = Deno.env.get("CHATKET_TEST_ENGINE") ?? "pglite";
  if (name === "pglite" || name === "postgres") return name;
  throw new Error(
    `CHATKET_TEST_ENGINE: ${name} is neither pglite nor postgres`,
  );
}

/** Where an empty database is, and a folder for local files. Both go when it is disposed of. */
export interface TestPlace extends AsyncDisposable {
  readonly engine: Engine;
  /** Undefined for the embedded database, which lives in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** The same as the server's environment variables. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes an empty database on the engine under test. Nothing is opened. */
export function makePlace(
  engine: Engine = engineUnderTest(),
): Promise<TestPlace> {
  return placeFrom(engine, undefined);
}

/**
 * As {@link makePlace}, but the database may have the program's schema already (a start finds out), and
 * its folder is one that only a process with all permissions may use.
 */
export function makeMigratedPlace(
  engine: Engine = engineUnderTest(),
): Promise<TestPlace> {
  const isTemplates = engine === engineUnderTest();
  const template = isTemplates ? Deno.env.get(TEMPLATE_VARIABLE) : undefined;
  return placeFrom(engine, template, { folder: memoryFolder() });
}

/**
 * Makes the template of a run. Put its `env` into that of the tests, and dispose of it after them.
 *
 * @param server URL of the PostgreSQL server; `TEST_DATABASE_URL` by default
 */
export async function makeTemplate(
  engine: Engine,
  server?: string,
): Promise<AsyncDisposable & { readonly env: Record<string, string> }> {
  const place = await placeFrom(engine, undefined, {
    folder: memoryFolder(),
    server,
  });
  try {
    await using db = await openDatabase(place, silentLog);
    await migrate(db);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
  const template = place.databaseUrl === undefined
    ? place.dataDir
    : new URL(place.databaseUrl).pathname.slice(1);
  return {
    env: { [TEMPLATE_VARIABLE]: template },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

async function placeFrom(
  engine: Engine,
  template: string | undefined,
  options: { folder?: string | undefined; server?: string | undefined } = {},
): Promise<TestPlace> {
  const dataDir = await Deno.makeTempDir({
    prefix: "chatket-test-",
    ...options.folder === undefined ? {} : { dir: options.folder },
  });
  const server = engine === "postgres"
    ? await createDatabase(
      options.server ?? Deno.env.get("TEST_DATABASE_URL"),
      template,
    )
    : undefined;
  if (engine === "pglite" && template !== undefined) {
    await runOrThrow("cp", ["-R", `${template}/postgres`, dataDir]);
  }
  return {
    engine,
    databaseUrl: server?.url,
    dataDir,
    env: {
      DATA_DIR: dataDir,
      ...server === undefined ? {} : { DATABASE_URL: server.url },
    },
    async [Symbol.asyncDispose]() {
      await server?.drop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

async function createDatabase(
  server: string | undefined,
  template = "template1",
) {
  if (server === undefined) {
    throw new Error(
      "TEST_DATABASE_URL is not set; `deno task test --only=postgres` starts a server and sets it",
    );
  }
  const name = `chatket_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await execute(server, `create database ${name} template ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await execute(server, `drop database ${name} with (force)`);
    },
  };
}

export interface TestDatabase extends AsyncDisposable {
  readonly db: Database;
  readonly place: TestPlace;
}

/** Opens a fresh database with the program's schema. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const place = await makeMigratedPlace();
  try {
    const db = await openDatabase(place, silentLog);
    await migrate(db);
    return {
      db,
      place,
      async [Symbol.asyncDispose]() {
        await db.destroy();
        await place[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

/** One fresh database for all tests of the calling file, opened before the first and gone after the last. */
export function useTestDatabase(): { readonly db: Database } {
  let opened: TestDatabase | undefined;
  Deno.test.beforeAll(async () => void (opened = await openTestDatabase()));
  Deno.test.afterAll(async () => await opened?.[Symbol.asyncDispose]());
  return {
    get db() {
      if (opened === undefined) {
        throw new Error("no database outside of a test");
      }
      return opened.db;
    },
  };
}
