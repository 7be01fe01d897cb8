/** A line to PostgreSQL that leads nowhere, while a new one would be good. */

import { Kysely, sql } from "kysely";
import assert from "node:assert/strict";
import { FaultProxy } from "../../tests/faults/proxy.ts";
import { makePlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { isUnavailable } from "./errors.ts";
import { postgresDialect } from "./postgres.ts";
import { parsePostgresServer } from "./postgres_server.ts";

/** Long enough for an answer from a busy machine, shorter than the wait for a line from the pool. */
const QUERY_TIMEOUT_MS = 1_000;

type Query = (db: Kysely<unknown>) => Promise<unknown>;

const plain: Query = (db) => sql`select 1`.execute(db);
const prepared: Query = (db) => sql`select ${1}::int`.execute(db);
const inTransaction: Query = (db) => db.transaction().execute(plain);

/** A pool whose lines go through a proxy. */
async function openThroughProxy() {
  const place = await makePlace("postgres");
  const url = new URL(place.databaseUrl!);
  const proxy = await FaultProxy.listen(Number(url.port));
  url.port = String(proxy.port);
  const { dialect, pool } = postgresDialect(
    parsePostgresServer(url.href, () => undefined),
    false,
    silentLog,
    { queryTimeoutMs: QUERY_TIMEOUT_MS },
  );
  const db = new Kysely<unknown>({ dialect });
  return {
    db,
    pool,
    /** Nothing passes on the lines that are open, and nobody is told; those to come are good. */
    loseLines() {
      for (const line of proxy.lines) line.setMode("discard");
    },
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await proxy.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

for (
  const [name, query] of Object.entries({ plain, prepared, inTransaction })
) {
  Deno.test(`a dead line fails one query and no other: ${name}`, async () => {
    await using it = await openThroughProxy();
    await query(it.db);
    it.loseLines();
    await assert.rejects(query(it.db), (error) => isUnavailable(error));
    await query(it.db);
  });
}

Deno.test("who waits for a line while all are dead gets a new one", async () => {
  await using it = await openThroughProxy();
  const atOnce = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, () => prepared(it.db)));
  await atOnce(20);
  const lines = it.pool().total;
  it.loseLines();
  const outcomes = await atOnce(lines + 3);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    outcomes.map((_, n) => n < lines ? "rejected" : "fulfilled"),
  );
});
