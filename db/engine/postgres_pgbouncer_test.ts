/** PgBouncer in transaction mode: each transaction may be served by another process of the server. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { startTestApp } from "../../tests/helpers/app.ts";
import { connect } from "../../tests/helpers/client.ts";
import { makePlace, type TestPlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { createRoom, signIn } from "../../tests/helpers/people.ts";
import {
  type Pgbouncer,
  pgbouncerMissing,
  type PgbouncerOptions,
  startPgbouncer,
} from "../../tests/helpers/pgbouncer.ts";
import { backUp } from "../tools/backup.ts";
import { restore } from "../tools/restore.ts";
import { type Database, openDatabase } from "./database.ts";
import { migrate, MIGRATIONS } from "./migrate.ts";

const NOW = new Date();

const ignore = await pgbouncerMissing() !== undefined;

/** A new database, and the way to it through a PgBouncer of its own. */
async function makePooledPlace(
  options: PgbouncerOptions = { poolSize: 3 },
): Promise<TestPlace & { direct: string }> {
  const place = await makePlace("postgres");
  const direct = place.databaseUrl!;
  let pooler: Pgbouncer;
  try {
    pooler = await startPgbouncer(direct, options);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
  const databaseUrl = pooler.url(direct);
  return {
    ...place,
    direct,
    databaseUrl,
    env: { ...place.env, DATABASE_URL: databaseUrl },
    async [Symbol.asyncDispose]() {
      await pooler[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const open = (databaseUrl: string | undefined): Promise<Database> =>
  openDatabase({ databaseUrl, dataDir: "" }, silentLog);

/** Calls a function for 0, 1, 2 … at once. */
const atOnce = <T>(count: number, call: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => call(n)));

Deno.test({
  name: "people talk through PgBouncer in transaction mode",
  ignore,
  async fn() {
    await using place = await makePooledPlace();
    await using app = await startTestApp({ RATE_LIMIT_MESSAGES: "1000" }, {
      place,
    });
    // More at once than the server has processes for, so that they change all the time.
    const users = await atOnce(8, (n) => signIn(app, `user${n}`));
    const rooms = await atOnce(8, (n) => createRoom(users[n]!));
    const clients = await atOnce(8, (n) => connect(app, users[n]!));
    try {
      for (let round = 0; round < 5; round++) {
        await atOnce(40, (n) =>
          clients[n % 8]!.expect("message:send", {
            roomId: rooms[n % 8]!.id,
            text: `hello ${n}`,
            clientMsgId: crypto.randomUUID(),
          }));
        await atOnce(24, async (n) => {
          const { cookie } = users[n % 8]!;
          const path = `/api/rooms/${rooms[n % 8]!.id}/messages`;
          const answer = await fetch(app.origin + path, {
            headers: { cookie },
          });
          assert.equal(answer.status, 200, await answer.text());
        });
        const ready = await fetch(`${app.origin}/ready`);
        assert.equal(ready.status, 200, await ready.text());
      }
    } finally {
      for (const client of clients) await client[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "nothing is left in a session that PgBouncer gives to others",
  ignore,
  async fn() {
    await using place = await makePooledPlace({ poolSize: 1 });
    await using db = await open(place.databaseUrl);
    await atOnce(20, (n) => sql`select ${n}::int`.execute(db));
    const { rows } = await sql<{ statements: number; timeout: string }>`
      select (select count(*)::int from pg_prepared_statements) as statements,
        current_setting('statement_timeout') as timeout`.execute(db);
    assert.deepEqual(rows, [{ statements: 0, timeout: "0" }]);
  },
});

Deno.test({
  name: "migrations, a backup and a restore work through PgBouncer",
  ignore,
  async fn() {
    await using place = await makePooledPlace({ poolSize: 2 });
    await using first = await open(place.databaseUrl);
    await using second = await open(place.databaseUrl);
    await using third = await open(place.direct);
    const done = await Promise.all(
      [first, second, third].map((db) => migrate(db)),
    );
    assert.deepEqual(done.flat(), Object.keys(MIGRATIONS));
    const { rows } = await sql`
      select from pg_locks where locktype = 'advisory' and database =
        (select oid from pg_database where datname = current_database())`
      .execute(first);
    assert.equal(rows.length, 0);

    const lines: string[] = [];
    await backUp(first, NOW, (line) => Promise.resolve(void lines.push(line)));
    await using target = await makePooledPlace({ poolSize: 1 });
    await using restored = await open(target.databaseUrl);
    await restore(restored, ReadableStream.from(lines));
    assert.deepEqual(await migrate(restored), []);
  },
});

Deno.test({
  name:
    "a PgBouncer that accepts fewer connections than the pool wants fails no query",
  ignore,
  async fn() {
    await using place = await makePooledPlace({ poolSize: 1, maxClients: 2 });
    await using db = await open(place.databaseUrl);
    await atOnce(30, () => sql`select pg_sleep(0.01)`.execute(db));
  },
});
