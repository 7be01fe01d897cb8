/**
 * A copy of all that is stored, taken while the server runs: JSON lines under gzip, the same for
 * both databases, so that one can be restored into the other.
 *
 * Line by line: a header with the migrations the rows belong to; for each table, parents first, its
 * name and pages of rows; an end with the number of rows, without which the copy is not whole.
 */

import { sql } from "kysely";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Database } from "../engine/database.ts";
import { executedMigrations } from "../engine/migrate.ts";
import { openStore } from "../engine/open_store.ts";
import { askForBackup } from "./backup_door.ts";
import { fileArgument, runCommand } from "./command.ts";

/** Version of the file's form. */
export const BACKUP_FORMAT = 1;

/** Rows read from the database and written to the file at once. */
const PAGE = 1_000;

export type BackupLine =
  | { chatket: number; migrations: string[]; at: string }
  | { table: string; rows: unknown[] }
  | { end: number };

/**
 * Gives a consistent copy of everything, line by line.
 *
 * It is one transaction. A server goes on beside it; the embedded database has one connection and
 * answers others when the copy is done.
 *
 * @returns the number of rows
 */
export async function backUp(
  db: Database,
  now: Date,
  write: (line: string) => Promise<void>,
): Promise<number> {
  const writeLine = (line: BackupLine) => write(`${JSON.stringify(line)}\n`);
  return await db.transaction().setIsolationLevel("repeatable read").execute(
    async (snapshot) => {
      await writeLine({
        chatket: BACKUP_FORMAT,
        migrations: await executedMigrations(snapshot),
        at: now.toISOString(),
      });
      let total = 0;
      for (const table of await tablesInOrder(snapshot)) {
        await sql`declare backup no scroll cursor for select to_json(t)::text as row from ${
          sql.table(table)
        } t`.execute(snapshot);
        for (;;) {
          const { rows } = await sql<{ row: string }>`fetch ${
            sql.lit(PAGE)
          } from backup`.execute(snapshot);
          if (rows.length === 0) break;
          // Rows are JSON already: taking them apart would only cost time.
          const page = rows.map(({ row }) => row).join(",");
          await write(`{"table":${JSON.stringify(table)},"rows":[${page}]}\n`);
          total += rows.length;
        }
        await sql`close backup`.execute(snapshot);
      }
      await writeLine({ end: total });
      return total;
    },
  );
}

/** The program's tables, each after those it points to. */
export async function tablesInOrder(db: Database): Promise<string[]> {
  const tables = (await db.introspection.getTables())
    .filter(({ name, isView }) => !isView && !name.startsWith("kysely_"))
    .map(({ name }) => name).sort();
  const { rows: links } = await sql<{ child: string; parent: string }>`
    select c.relname as child, p.relname as parent
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
    where k.contype = 'f' and c.oid <> p.oid
  `.execute(db);
  const ordered: string[] = [];
  const place = (table: string) => {
    if (ordered.includes(table)) return;
    for (const { child, parent } of links) if (child === table) place(parent);
    ordered.push(table);
  };
  for (const table of tables) place(table);
  return ordered.filter((table) => tables.includes(table));
}

/**
 * As {@link backUp}, into a file that only its owner may read. It appears under its name when it is
 * whole; one that exists is not touched.
 *
 * @returns the number of rows
 */
export async function backUpToFile(
  db: Database,
  now: Date,
  path: string,
): Promise<number> {
  await refuseExisting(path);
  const unfinished = `${path}.unfinished`;
  const gzip = createGzip();
  const stored = pipeline(
    gzip,
    createWriteStream(unfinished, { mode: 0o600, flush: true }),
  );
  // Rethrown to the writer, below.
  stored.catch(() => {});
  try {
    const rows = await backUp(db, now, async (line) => {
      if (!gzip.write(line)) {
        await Promise.race([once(gzip, "drain"), stored]);
      }
    });
    gzip.end();
    await stored;
    await Deno.rename(unfinished, path);
    return rows;
  } catch (error) {
    gzip.destroy(error as Error);
    await stored.catch(() => {});
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
}

export async function refuseExisting(path: string): Promise<void> {
  const exists = await Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  if (exists) throw new Error(`${path} exists; it is not overwritten`);
}

// `deno task backup FILE`
if (import.meta.main) {
  await runCommand("no backup was made", async (config, log) => {
    const path = fileArgument("say where to: deno task backup FILE");
    await refuseExisting(path);
    let rows = config.databaseUrl === undefined
      ? await askForBackup(config.dataDir, path)
      : undefined;
    if (rows === undefined) {
      await using db = await openStore(config, log);
      rows = await backUpToFile(db, new Date(), path);
    }
    return `${rows} rows are in ${path}`;
  });
}
