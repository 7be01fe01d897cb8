/** One connection, and what becomes of those who wait for it when it ends. */

import assert from "node:assert/strict";
import { makePlace } from "../../tests/helpers/database.ts";
import { execute } from "../../tests/helpers/postgres.ts";
import { isUnavailable, sqlState, UnavailableError } from "./errors.ts";
import { PostgresConnection } from "./postgres_connection.ts";
import { parsePostgresServer } from "./postgres_server.ts";

/** A connection to a database of one's own, and what it was lost by. */
async function open() {
  const place = await makePlace("postgres");
  const server = parsePostgresServer(place.databaseUrl!, () => undefined);
  const lostBy: Error[] = [];
  const connection = new PostgresConnection(
    { server, tls: false, connectTimeoutMs: 10_000 },
    (error) => lostBy.push(error),
  );
  return {
    url: place.databaseUrl!,
    connection,
    lostBy,
    ask: (text: string, parameters: unknown[] = [], timeoutMs = 20_000) =>
      connection.run(text, parameters, { timeoutMs, prepare: true }),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => assert.fail("it succeeded"), (error) => error);

Deno.test("a connection that ends fails all who wait, and does not come back by itself", async () => {
  await using it = await open();
  const [one] = await it.ask("select pg_backend_pid() as pid");
  const waiting = [it.ask("select pg_sleep(30)"), it.ask("select $1::int", [1])]
    .map(errorOf);
  await execute(it.url, `select pg_terminate_backend(${one!.pid})`);
  for (const error of await Promise.all(waiting)) {
    assert.equal(isUnavailable(error), true, String(error));
  }
  assert.ok(await errorOf(it.ask("select 1")) instanceof UnavailableError);
  assert.equal(it.connection.isLost, true);
  assert.equal(it.lostBy.length, 1);
});

Deno.test("a query without an answer in time ends the connection", async () => {
  await using it = await open();
  await it.ask("select 1");
  const error = await errorOf(it.ask("select pg_sleep(30)", [], 50));
  assert.match(String(error), /Query read timeout/);
  assert.equal(it.connection.isLost, true);
});

Deno.test("the server's refusal leaves the connection good, and is kept nowhere with its query", async () => {
  await using it = await open();
  const error = await errorOf(it.ask("select 1 / $1::int", [0]));
  assert.equal(sqlState(error), "22012");
  // postgres.js would have added these, and have kept some of them.
  for (const name of ["query", "parameters", "args", "types"]) {
    assert.equal(Object.hasOwn(error as Error, name), false, name);
  }
  const [row] = await it.ask("select 6 / $1::int as n", [2]);
  assert.equal(row!.n, 3);
});
