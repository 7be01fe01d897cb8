import { sql } from "kysely";
import assert from "node:assert/strict";
import {
  engineUnderTest,
  makePlace,
  type TestPlace,
} from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { type Database, openDatabase } from "./database.ts";
import { NewerDatabaseError } from "./errors.ts";
import { migrate, MIGRATIONS } from "./migrate.ts";

/** Runs with an empty database; a second handle is a second pool on a server, the same one embedded. */
async function withEmptyDatabase(
  run: (db: Database, second: Database) => Promise<void>,
): Promise<void> {
  await using place: TestPlace = await makePlace();
  await using db = await openDatabase(place, silentLog);
  if (engineUnderTest() === "pglite") return await run(db, db);
  await using second = await openDatabase(place, silentLog);
  await run(db, second);
}

async function tableNames(db: Database): Promise<string[]> {
  const tables = await db.introspection.getTables({
    withInternalKyselyTables: true,
  });
  return tables.map((table) => table.name).sort();
}

Deno.test("migrate() makes the tables once and does nothing the second time", async () => {
  await withEmptyDatabase(async (db) => {
    assert.deepEqual(await migrate(db), Object.keys(MIGRATIONS));
    const tables = await tableNames(db);
    assert.ok(tables.includes("messages"));
    assert.deepEqual(await migrate(db), []);
    assert.deepEqual(await tableNames(db), tables);
  });
});

Deno.test("migrate() run by two at the same moment does each migration once", async () => {
  await withEmptyDatabase(async (db, second) => {
    const done = await Promise.all([migrate(db), migrate(second)]);
    assert.deepEqual(done.flat(), Object.keys(MIGRATIONS));
  });
});

Deno.test("migrate() refuses a newer database and leaves it as it is", async () => {
  await withEmptyDatabase(async (db) => {
    await migrate(db);
    await sql`insert into kysely_migration values ('9999_future', '2030-01-01')`
      .execute(db);
    await sql`drop table messages cascade`.execute(db);
    const before = await tableNames(db);
    await assert.rejects(migrate(db), (error: Error) => {
      assert.ok(error instanceof NewerDatabaseError);
      assert.match(error.message, /9999_future/);
      return true;
    });
    assert.deepEqual(await tableNames(db), before);
  });
});

Deno.test("migrate() that fails leaves nothing of the failed run, and can be run again", async () => {
  await withEmptyDatabase(async (db) => {
    await migrate(db);
    const failing = {
      ...MIGRATIONS,
      "9998_fails": {
        async up(inner: Database) {
          await sql`create table half_done (id int)`.execute(inner);
          await sql`select nonsense`.execute(inner);
        },
      },
    };
    await assert.rejects(migrate(db, failing), /nonsense/);
    assert.ok(!(await tableNames(db)).includes("half_done"));
    assert.deepEqual(await migrate(db), []);
  });
});

Deno.test("migrate() runs what a later version of the program adds", async () => {
  await withEmptyDatabase(async (db) => {
    await migrate(db);
    const grown = {
      ...MIGRATIONS,
      "9998_notes": {
        async up(inner: Database) {
          await sql`create table notes (id int)`.execute(inner);
        },
      },
    };
    assert.deepEqual(await migrate(db, grown), ["9998_notes"]);
    assert.ok((await tableNames(db)).includes("notes"));
    await assert.rejects(migrate(db), NewerDatabaseError);
  });
});
