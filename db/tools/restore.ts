/** Puts a backup into a new, empty database and brings it to this program's schema. */

import { sql } from "kysely";
import type { Database } from "../engine/database.ts";
import { migrate, migrationsNamed } from "../engine/migrate.ts";
import { onStore, openStore } from "../engine/open_store.ts";
import { renewDeployment } from "../deployment.ts";
import { endEverySession } from "../sessions.ts";
import { BACKUP_FORMAT, type BackupLine, tablesInOrder } from "./backup.ts";
import { fileArgument, runCommand } from "./command.ts";

/** A file or target that cannot be restored. The message is one line. */
export class RestoreError extends Error {
  override name = "RestoreError";
}

/**
 * Restores a backup. The rows are put into the tables of the version that made the copy; after that
 * the migrations since then are run, as in any upgrade, and every session is ended: some were signed out
 * after the backup. All of it is one transaction: a restore that
 * fails leaves the database as empty as it was.
 *
 * @param lines of the file, without gzip
 * @returns the number of rows
 * @throws {RestoreError} when the database has tables, or the file is not a whole backup that this
 *   program knows
 */
export async function restore(
  db: Database,
  lines: AsyncIterable<string>,
): Promise<number> {
  return await db.transaction().execute((transaction) =>
    restoreInto(transaction, lines)
  );
}

async function restoreInto(
  db: Database,
  lines: AsyncIterable<string>,
): Promise<number> {
  if ((await db.introspection.getTables()).length > 0) {
    throw new RestoreError(
      "the database has tables; a backup is restored into a new, empty one only",
    );
  }
  const iterator = lines[Symbol.asyncIterator]();
  const { value: first } = await iterator.next();
  const header = parseLine(first ?? "");
  if (!("chatket" in header) || header.chatket !== BACKUP_FORMAT) {
    throw new RestoreError("the file is no backup that this program can read");
  }
  const migrations = migrationsNamed(header.migrations);
  if (migrations === undefined) {
    throw new RestoreError(
      "the backup was made by a newer program; restore it with that one",
    );
  }
  await migrate(db, migrations);
  const rows = await storeRows(db, iterator);
  await migrate(db);
  await endEverySession(db);
  await renewDeployment(db);
  return rows;
}

async function storeRows(
  db: Database,
  lines: AsyncIterator<string>,
): Promise<number> {
  const tables = new Set(await tablesInOrder(db));
  let stored = 0;
  for (;;) {
    const { done, value } = await lines.next();
    if (done) throw new RestoreError("the backup ends too early");
    const line = parseLine(value);
    if ("end" in line) {
      if (line.end !== stored) {
        throw new RestoreError(
          `the backup says ${line.end} rows and has ${stored}`,
        );
      }
      // gzip's checksum comes after the last line: only reading on to the end checks it.
      if ((await lines.next()).done) return stored;
      throw new RestoreError("the backup goes on after its end");
    }
    if (!("table" in line) || !tables.has(line.table)) {
      throw new RestoreError("the backup has a line that belongs nowhere");
    }
    const table = sql.table(line.table);
    await sql`insert into ${table} select * from json_populate_recordset(null::${table}, ${
      JSON.stringify(line.rows)
    }::json)`.execute(db);
    stored += line.rows.length;
  }
}

function parseLine(line: string): BackupLine {
  try {
    return JSON.parse(line);
  } catch {
    throw new RestoreError("the backup has a line that is not JSON");
  }
}

/** The lines of a backup file. */
export async function* backupLines(path: string): AsyncGenerator<string> {
  const file = await Deno.open(path);
  let rest = "";
  try {
    const text = file.readable
      .pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(new TextDecoderStream());
    for await (const chunk of text) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    if (error instanceof TypeError) {
      throw new RestoreError(`${path} is damaged, cut short or no gzip file`);
    }
    throw error;
  }
}

// `deno task restore FILE`
if (import.meta.main) {
  await runCommand("nothing was restored", async (config, log) => {
    const path = fileArgument("say which one: deno task restore FILE");
    await Deno.stat(path);
    await using db = await openStore(config, log);
    const rows = await onStore(config, () => restore(db, backupLines(path)));
    return `${rows} rows of ${path} are in the database`;
  });
}
