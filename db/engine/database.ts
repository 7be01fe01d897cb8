/** Opens and closes the database: an embedded PostgreSQL or a server, behind the same handle. */

import { type Dialect, Kysely, sql } from "kysely";
import type { Log } from "../../log.ts";
import type { Schema } from "../schema.ts";
import { openPglite } from "./pglite.ts";
import type { Durability } from "./pglite_files.ts";
import { postgresDialect } from "./postgres.ts";
import type { PoolCounts } from "./postgres_pool.ts";
import { parsePostgresServer, readTls } from "./postgres_server.ts";

/**
 * The handle every query function takes first: the database itself, or a transaction on it. Inside a
 * transaction use only the transaction's handle: the embedded database has one connection, and a
 * query on the outer handle would wait for the transaction to end, for ever.
 */
export type Database = Kysely<Schema>;

export interface DatabaseSettings {
  /** PostgreSQL URL; undefined opens the embedded database in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** Connections to a server at most; 10 by default. */
  readonly databasePool?: number;
  readonly dataDir: string;
  /** Whether a commit of the embedded database waits for the disk; `full` by default. */
  readonly durability?: Durability;
}

/** What is known of a server's pool, by the handle on it. */
const pools = new WeakMap<Database, () => PoolCounts>();

/** The pool's connections; undefined for the embedded database, which has none. */
export function poolCounts(db: Database): PoolCounts | undefined {
  return pools.get(db)?.();
}

/**
 * Opens the database. Close it with `destroy()`. Migrations are run by `migrate()`.
 *
 * @param onDied told when the embedded database has died, which only another process can mend
 */
export async function openDatabase(
  settings: DatabaseSettings,
  log: Log,
  onDied?: () => void,
): Promise<Database> {
  const { dialect, pool } = await chooseDialect(settings, log, onDied);
  const db = new Kysely<Schema>({ dialect });
  if (pool !== undefined) pools.set(db, pool);
  // Kysely closes only what it has used: without a first query `destroy()` would leave the embedded
  // database running and its folder locked. A server need not be there yet.
  if (settings.databaseUrl === undefined) await pingDatabase(db);
  return db;
}

async function chooseDialect(
  settings: DatabaseSettings,
  log: Log,
  onDied?: () => void,
): Promise<{ dialect: Dialect; pool?: () => PoolCounts }> {
  if (settings.databaseUrl !== undefined) {
    const { databasePool: size } = settings;
    const server = parsePostgresServer(
      settings.databaseUrl,
      (name) => Deno.env.get(name),
    );
    return postgresDialect(
      server,
      await readTls(server),
      log,
      size === undefined ? {} : { size },
    );
  }
  return await openPglite(settings.dataDir, {
    durability: settings.durability ?? "full",
    onDied() {
      log.error("the embedded database has died");
      onDied?.();
    },
  });
}

/** Resolves when the database answers; rejects with its error otherwise. */
export async function pingDatabase(db: Database): Promise<void> {
  await sql`select 1`.execute(db);
}
