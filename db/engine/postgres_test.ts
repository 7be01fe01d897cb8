import { AbortedTransactionError, sql } from "kysely";
import assert from "node:assert/strict";
import { useTestDatabase } from "../../tests/helpers/database.ts";
import { recordingLog, silentLog } from "../../tests/helpers/log.ts";
import { startPostgres } from "../../tests/helpers/postgres.ts";
import { expectTook, stopwatch } from "../../tests/helpers/timing.ts";
import { type Database, openDatabase, pingDatabase } from "./database.ts";
import { isUnavailable } from "./errors.ts";
import { postgresDialect } from "./postgres.ts";
import { parsePostgresServer } from "./postgres_server.ts";

const test = useTestDatabase();

const open = (url: string, log = silentLog): Promise<Database> =>
  openDatabase({ databaseUrl: url, dataDir: "" }, log);

Deno.test("bigint columns come as numbers, times as dates", async () => {
  const { rows } = await sql<{ n: unknown; t: unknown }>`
      select 5::bigint as n, '2026-03-01T12:00:00.123Z'::timestamptz as t
      where ${1}::int = 1`.execute(test.db);
  assert.deepEqual(rows, [
    { n: 5, t: new Date("2026-03-01T12:00:00.123Z") },
  ]);
});

Deno.test("a statement with parameters is prepared once a connection", async () => {
  await test.db.connection().execute(async (connection) => {
    for (const n of [1, 2, 3]) {
      await sql`select ${n}::int as prepared_probe`.execute(connection);
    }
    const { rows } = await sql`
        select from pg_prepared_statements where statement like '%prepared_probe%'
          and statement not like '%pg_prepared%'`.execute(connection);
    assert.equal(rows.length, 1);
  });
});

Deno.test("lists of ids go and come as arrays, also an empty one", async () => {
  for (const count of [0, 1, 3]) {
    const ids = Array.from({ length: count }, () => crypto.randomUUID());
    const { rows } = await sql`select ${ids}::uuid[] as ids`.execute(test.db);
    assert.deepEqual(rows, [{ ids }]);
  }
});

Deno.test("JSON is stored as the text that was given", async () => {
  const given = JSON.stringify({
    text: 'a "word" and \\ more',
    list: [1, null],
  });
  const { rows } = await sql`
    select ${given}::json ->> 'text' as text, ${given}::jsonb as all`
    .execute(test.db);
  assert.deepEqual(rows, [
    { text: 'a "word" and \\ more', all: JSON.parse(given) },
  ]);
});

Deno.test("a transaction that an error has ended is not said to be committed", async () => {
  await assert.rejects(
    test.db.transaction().execute(async (transaction) => {
      await assert.rejects(sql`select 1/0`.execute(transaction));
    }),
    AbortedTransactionError,
  );
});

Deno.test("a transaction whose connection is lost fails with that, and the next one works", async () => {
  await assert.rejects(
    test.db.transaction().execute((transaction) =>
      sql`select pg_terminate_backend(pg_backend_pid())`.execute(transaction)
    ),
    isUnavailable,
  );
  await test.db.transaction().execute((transaction) =>
    sql`select 1`.execute(transaction)
  );
});

Deno.test("a server without a user to connect as is refused", () => {
  const server = parsePostgresServer("postgres://h/d", () => undefined);
  assert.throws(() => postgresDialect(server, false, silentLog), /PGUSER/);
});

/** Resolves when the server is at work on a query that sleeps. */
async function untilSleeping(db: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql`select from pg_stat_activity
      where query like 'select pg_sleep%' and state = 'active'`.execute(db);
    if (rows.length > 0) return;
  }
}

Deno.test("the pool serves again after the server was restarted, crashed or in order", async () => {
  await using cluster = await startPostgres();
  const log = recordingLog();
  await using db = await open(cluster.url(), log);
  for (const mode of ["fast", "immediate"] as const) {
    await Promise.all(Array.from({ length: 5 }, () => pingDatabase(db)));
    const sleeping = sql`select pg_sleep(30)`.execute(db).then(
      () => assert.fail("it survived"),
      (error) => error,
    );
    await untilSleeping(db);
    await cluster.stop(mode);
    assert.equal(isUnavailable(await sleeping), true);
    const refused = await pingDatabase(db).then(
      () => assert.fail("answered"),
      (error) => error,
    );
    assert.equal(isUnavailable(refused), true);
    await cluster.start();
    await pingDatabase(db);
  }
  assert.ok(!log.lines.some((line) => line.includes('"error","message"')));
});

Deno.test("a server that does not answer is given up on in bounded time", async () => {
  await using cluster = await startPostgres();
  await using db = await open(cluster.url());
  await pingDatabase(db);
  await cluster.pause();
  const waiting = stopwatch();
  try {
    await assert.rejects(pingDatabase(db), (error) => isUnavailable(error));
  } finally {
    await cluster.resume();
  }
  expectTook("an answer", waiting(), 15_000);
  await pingDatabase(db);
});
