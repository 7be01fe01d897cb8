/** The pool's size, and a server that has no room for it. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { startTestApp } from "../../tests/helpers/app.ts";
import { makeMigratedPlace, makePlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { openDatabase } from "./database.ts";
import { isUnavailable } from "./errors.ts";
import { PostgresConnection } from "./postgres_connection.ts";
import { PostgresPool } from "./postgres_pool.ts";
import { parsePostgresServer } from "./postgres_server.ts";

const atOnce = <T>(count: number, call: () => Promise<T>) =>
  Promise.all(Array.from({ length: count }, call));

Deno.test("a role that may have three connections is enough: queries wait for one, and none fails", async () => {
  await using place = await makeMigratedPlace("postgres");
  const role = `short_${crypto.randomUUID().replaceAll("-", "")}`;
  await using admin = await openDatabase(place, silentLog);
  await sql`create role ${sql.id(role)} login connection limit 3`.execute(
    admin,
  );
  try {
    const url = new URL(place.databaseUrl!);
    url.username = role;
    await using db = await openDatabase(
      { databaseUrl: url.href, dataDir: "" },
      silentLog,
    );
    await atOnce(60, () => sql`select pg_sleep(0.01)`.execute(db));
  } finally {
    await sql`drop role ${sql.id(role)}`.execute(admin);
  }
});

Deno.test("DATABASE_POOL is the most connections that the server opens", async () => {
  await using place = await makeMigratedPlace("postgres");
  await using app = await startTestApp(
    { DATABASE_POOL: "2" },
    { place },
  );
  await using watcher = await openDatabase(place, silentLog);
  const connections = async () => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`
      .execute(watcher);
    return rows[0]!.count;
  };
  const answers = await atOnce(40, async () => {
    const answer = await fetch(`${app.origin}/ready`);
    await answer.body?.cancel();
    return answer.status;
  });
  assert.deepEqual([...new Set(answers)], [200]);
  const count = await connections();
  assert.ok(count <= 2, `${count} connections`);
});

Deno.test("a connection that nobody needs is closed, and the next call opens another", async () => {
  await using place = await makePlace("postgres");
  const server = parsePostgresServer(place.databaseUrl!, () => undefined);
  const options = { server, tls: false as const, connectTimeoutMs: 3_000 };
  const ask = (connection: PostgresConnection) =>
    connection.run("select 1", [], { timeoutMs: 10_000, prepare: false });
  const pool = new PostgresPool({
    ...{ size: 2, waitMs: 10_000, idleMs: 5, isFull: () => false },
    create: (onLost) => new PostgresConnection(options, onLost),
    start: async (connection) => void await ask(connection),
    onIdleLost: (error) => assert.fail(error),
  });
  const first = await pool.acquire();
  pool.release(first);
  assert.deepEqual(pool.counts(), { total: 1, idle: 1, waiting: 0 });
  while (pool.counts().total > 0) {
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.equal(first.isLost, true);
  const second = await pool.acquire();
  await ask(second);
  pool.release(second);
  await pool.close();
  await assert.rejects(pool.acquire(), isUnavailable);
});
