/** Brings a database to the program's schema. */

import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import * as initial from "../migrations/0001_initial.ts";
import * as sessions from "../migrations/0002_sessions.ts";
import * as accounts from "../migrations/0003_accounts.ts";
import * as roomSearch from "../migrations/0004_room_search.ts";
import * as changes from "../migrations/0005_changes.ts";
import type { Schema } from "../schema.ts";
import { runCommand } from "../tools/command.ts";
import { NewerDatabaseError } from "./errors.ts";
import { onStore, openStore } from "./open_store.ts";

/** All migrations in order. A shipped one is never edited; a change is a new one. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_initial": initial,
  "0002_sessions": sessions,
  "0003_accounts": accounts,
  "0004_room_search": roomSearch,
  "0005_changes": changes,
};

/** Names the lock of migrations among PostgreSQL's advisory locks. Any other number would do. */
const LOCK_ID = 3_853_314_791;

/**
 * Runs the migrations that are missing, under a lock: several processes may call it at once. All is
 * one transaction, `db` itself when it is one.
 *
 * @param migrations for tests: another series than the program's own
 * @returns the names of those that were run
 * @throws {NewerDatabaseError} when the database is ahead of the program; nothing is touched then
 */
export async function migrate(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<string[]> {
  if (!db.isTransaction) {
    return await db.transaction().execute((transaction) =>
      migrate(transaction, migrations)
    );
  }
  // The lock goes with the transaction. Kysely's own belongs to a session, which a connection pooler
  // between us and PostgreSQL may give to others; the dialects leave it out.
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_ID)})`.execute(db);
  await refuseNewer(db, migrations);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** The program's migrations of these names, in order; undefined when it does not know one of them. */
export function migrationsNamed(
  names: readonly string[],
): Readonly<Record<string, Migration>> | undefined {
  const known = names.flatMap((name) => {
    const migration = Object.hasOwn(MIGRATIONS, name) && MIGRATIONS[name];
    return migration ? [[name, migration] as const] : [];
  });
  return known.length === names.length ? Object.fromEntries(known) : undefined;
}

/** Names of the migrations that a database has, in order. */
export async function executedMigrations(
  db: Kysely<Schema>,
): Promise<string[]> {
  const rows = await db.withTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration").select("name").orderBy("name").execute();
  return rows.map((row) => row.name);
}

/** Kysely makes the first tables, and hides why it cannot. */
async function tryToMakeTable(db: Kysely<Schema>): Promise<void> {
  await db.schema.createTable("kysely_probe").execute();
  await db.schema.dropTable("kysely_probe").execute();
}

async function refuseNewer(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  const tables = await db.introspection.getTables({
    withInternalKyselyTables: true,
  });
  if (!tables.some((table) => table.name === "kysely_migration")) {
    return await tryToMakeTable(db);
  }
  const unknown = (await executedMigrations(db)).filter((name) =>
    !(name in migrations)
  );
  if (unknown.length > 0) {
    throw new NewerDatabaseError(
      `the database has migrations of a newer program (${
        unknown.join(", ")
      }): start that program, ` +
        `or restore a backup made before the upgrade`,
    );
  }
}

// `deno task migrate`: for operators who migrate before they switch versions.
if (import.meta.main) {
  await runCommand("database not migrated", async (config, log) => {
    await using db = await openStore(config, log);
    const done = await onStore(config, () => migrate(db));
    return `database migrated: ${done.join(", ") || "it was up to date"}`;
  });
}
