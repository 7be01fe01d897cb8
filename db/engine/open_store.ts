/** Opens the database that an operator has set; what keeps it from being used names the setting. */

import { sql } from "kysely";
import { ConfigError, unusable } from "../../config.ts";
import type { Log } from "../../log.ts";
import {
  type Database,
  type DatabaseSettings,
  openDatabase,
} from "./database.ts";
import { isUnavailable, NewerDatabaseError, sqlState } from "./errors.ts";
import { DataDirInUseError } from "./pglite.ts";

/** Oldest PostgreSQL whose SQL the program speaks. */
const MIN_VERSION = 15;

/**
 * Opens the database and makes sure that it can be used.
 *
 * @param onDied told when the embedded database has died, which only another process can mend
 * @throws {ConfigError} that names the setting and what is wrong
 */
export async function openStore(
  settings: DatabaseSettings,
  log: Log,
  onDied?: () => void,
): Promise<Database> {
  let db: Database | undefined;
  try {
    db = await openDatabase(settings, log, onDied);
    if (settings.databaseUrl !== undefined) await checkServer(db);
    return db;
  } catch (error) {
    await db?.destroy();
    throw blame(settings, error);
  }
}

/**
 * Does what a start needs from the open database, or from its folder.
 *
 * @throws {ConfigError} that names the setting, when it fails because of what is set there; what else
 *   the work throws, as it is
 */
export async function onStore<T>(
  settings: DatabaseSettings,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isItsFault = error instanceof NewerDatabaseError ||
      sqlState(error) !== undefined || isUnavailable(error) ||
      isRefusedBySystem(error);
    throw isItsFault ? blame(settings, error) : error;
  }
}

/** As {@link onStore}, for local files, which are in `DATA_DIR` whatever the database is. */
export function onDataDir<T>(
  { dataDir }: DatabaseSettings,
  work: () => Promise<T>,
): Promise<T> {
  return onStore({ databaseUrl: undefined, dataDir }, work);
}

function blame(
  { databaseUrl, dataDir }: DatabaseSettings,
  error: unknown,
): ConfigError {
  if (error instanceof ConfigError) return error;
  if (error instanceof DataDirInUseError) return new ConfigError(error.message);
  return databaseUrl === undefined
    ? unusable("DATA_DIR", dataDir, error)
    : unusable("DATABASE_URL", databaseUrl, error);
}

/** The operating system has refused something, or the permissions of the process have. */
function isRefusedBySystem(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return error instanceof Deno.errors.NotCapable ||
    typeof code === "string" && /^E[A-Z]+$/.test(code);
}

async function checkServer(db: Database): Promise<void> {
  const { rows } = await sql<ServerFacts>`
    select current_setting('server_version_num')::int / 10000 as version,
      current_setting('server_encoding') as encoding`.execute(db);
  const fault = serverFault(rows[0]!);
  if (fault !== undefined) throw new Error(fault);
}

/** What a server says of itself and of the database. */
export interface ServerFacts {
  readonly version: number;
  readonly encoding: string;
}

/** Why a database cannot be used, or undefined. */
export function serverFault(
  { version, encoding }: ServerFacts,
): string | undefined {
  if (version < MIN_VERSION) {
    return `the server is PostgreSQL ${version}, and ${MIN_VERSION} is the oldest that is enough`;
  }
  if (encoding !== "UTF8") {
    return `the database's encoding is ${encoding}, which cannot store every character; ` +
      `make one with: create database … encoding 'UTF8' template template0`;
  }
  return undefined;
}
