/** What can be wrong with a PostgreSQL server and the way to it: one line that says so, within seconds. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { ConfigError } from "../../config.ts";
import { makePlace, type TestPlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import {
  type PostgresCluster,
  startPostgres,
} from "../../tests/helpers/postgres.ts";
import { run } from "../../tests/helpers/system.ts";
import { type Database, openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";
import { onStore, openStore, serverFault } from "./open_store.ts";

/** With characters that end a URL's host when they are not encoded. */
const PASSWORD = "p@ss/word";

/** What a start does with the database. */
async function use(databaseUrl: string): Promise<void> {
  const settings = { databaseUrl, dataDir: "" };
  await using db = await openStore(settings, silentLog);
  await onStore(settings, () => migrate(db));
}

/** Starting with a database is refused in one line that names the setting and the fault. */
async function assertRefused(databaseUrl: string, fault: RegExp) {
  await assert.rejects(use(databaseUrl), (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    const { message } = error;
    assert.match(message, /^DATABASE_URL: .+; accepted: .+$/);
    assert.match(message, fault);
    for (const part of ["p@ss", "ss/word", "wrong-one", "p%40ss"]) {
      assert.ok(!message.includes(part), message);
    }
    return true;
  });
}

let place: TestPlace;
let admin: Database;
Deno.test.beforeAll(async () => {
  place = await makePlace("postgres");
  admin = await openDatabase(place, silentLog);
});
Deno.test.afterAll(async () => {
  await admin.destroy();
  await place[Symbol.asyncDispose]();
});

/** The URL of the test's database, changed. */
function changed(change: (url: URL) => void): string {
  const url = new URL(place.databaseUrl!);
  change(url);
  return url.href;
}

Deno.test("a database that does not exist", async () => {
  await assertRefused(
    changed((url) => url.pathname = "/nowhere"),
    /database "nowhere" does not exist/,
  );
});

Deno.test("a user that does not exist", async () => {
  await assertRefused(
    changed((url) => url.username = "nobody_here"),
    /role "nobody_here" does not exist/,
  );
});

Deno.test("a server without TLS that is to speak it", async () => {
  await assertRefused(
    changed((url) => url.search = "?sslmode=verify-full"),
    /does not support SSL/,
  );
});

for (const encoding of ["LATIN1", "SQL_ASCII"]) {
  Deno.test(`a database whose encoding is ${encoding}`, async () => {
    const name = `chatket_${encoding.toLowerCase()}_${crypto.randomUUID()}`;
    await sql`create database ${sql.id(name)} encoding ${
      sql.lit(encoding)
    } template template0 lc_collate 'C' lc_ctype 'C'`.execute(admin);
    try {
      await assertRefused(
        changed((url) => url.pathname = `/${name}`),
        new RegExp(`encoding is ${encoding}`),
      );
    } finally {
      await sql`drop database ${sql.id(name)} with (force)`.execute(admin);
    }
  });
}

Deno.test("a role that may make no tables, and a database that may not be written", async () => {
  const role = `chatket_${crypto.randomUUID()}`;
  await sql`create role ${sql.id(role)} login`.execute(admin);
  try {
    const url = changed((url) => url.username = role);
    await assertRefused(url, /permission denied for schema public/);
    await assertRefused(
      `${url}?options=-c%20default_transaction_read_only%3Don`,
      /read-only transaction/,
    );
  } finally {
    await sql`drop role ${sql.id(role)}`.execute(admin);
  }
});

Deno.test("a database that has tables of another program, or of a newer version", async () => {
  await using other = await makePlace("postgres");
  await using db = await openDatabase(other, silentLog);
  await sql`create table users ()`.execute(db);
  await assertRefused(other.databaseUrl!, /relation "users" already exists/);
  await sql`drop table users`.execute(db);
  await use(other.databaseUrl!);
  await sql`insert into kysely_migration values ('9999_future', 'now')`
    .execute(db);
  await assertRefused(other.databaseUrl!, /newer program \(9999_future\)/);
});

/** What stands on the other end in place of PostgreSQL. */
const STRANGERS: Readonly<Record<string, (line: Deno.Conn) => unknown>> = {
  "accepts and says nothing": () => {},
  "closes at once": (line) => line.close(),
  "is a web server": (line) =>
    line.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")),
};

for (const [name, answer] of Object.entries(STRANGERS)) {
  Deno.test(`a server that ${name}`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const lines: Deno.Conn[] = [];
    const accepting = (async () => {
      for await (const line of listener) {
        lines.push(line);
        await answer(line);
      }
    })();
    const { port } = listener.addr;
    await assertRefused(
      `postgres://u:wrong-one@127.0.0.1:${port}/d`,
      /Connection terminated/,
    );
    listener.close();
    await accepting;
    for (const line of lines) {
      try {
        line.close();
      } catch { /* It was closed above. */ }
    }
  });
}

Deno.test("a server that sends more than its word on TLS, which would be taken for encrypted", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    using line = await listener.accept();
    await line.write(new TextEncoder().encode("S and more"));
    await line.read(new Uint8Array(100));
    await line.read(new Uint8Array(100)).catch(() => {});
  })();
  await assertRefused(
    `postgres://u:wrong-one@127.0.0.1:${listener.addr.port}/d?sslmode=require`,
    /does not support SSL/,
  );
  await accepting;
});

Deno.test("a PostgreSQL that is too old, or cannot store every character", () => {
  assert.match(
    serverFault({ version: 14, encoding: "UTF8" })!,
    /is PostgreSQL 14, and 15 is the oldest/,
  );
  assert.match(serverFault({ version: 15, encoding: "LATIN1" })!, /LATIN1/);
  assert.equal(serverFault({ version: 15, encoding: "UTF8" }), undefined);
});

Deno.test("a server with a password, TLS and a Unix socket", async (t) => {
  await using cluster = await startPostgres({ password: PASSWORD, tls: true });
  const url = new URL(cluster.url());
  const withPassword = (password: string, search = "") => {
    const copy = new URL(url);
    copy.password = encodeURIComponent(password);
    copy.search = search;
    return copy.href;
  };
  await t.step(
    "a password that is missing",
    () => assertRefused(url.href, /asks for a password, and none is set/),
  );
  await t.step("a wrong password", () =>
    assertRefused(
      withPassword("wrong-one"),
      /password authentication failed for user "postgres"/,
    ));
  await t.step("a certificate of an unknown authority", () =>
    assertRefused(
      withPassword(PASSWORD, "?sslmode=require"),
      /certificate|UnknownIssuer/i,
    ));
  await t.step(
    "the right password, and the authority's certificate",
    () =>
      use(withPassword(PASSWORD, `?sslrootcert=${cluster.rootCertificate}`)),
  );
  await t.step("both ways to write a Unix socket", async () => {
    const folder = encodeURIComponent(cluster.socketFolder);
    const user = `postgres:${encodeURIComponent(PASSWORD)}`;
    await use(`postgres://${user}@${folder}:${url.port}/postgres`);
    await use(
      `postgres://${user}@/postgres?host=${cluster.socketFolder}&port=${url.port}`,
    );
  });
  await t.step(
    "the permissions of the tasks are enough for both",
    () => asTask(cluster, withPassword),
  );
});

/** `deno task migrate`, whose permissions are made as those of `deno task start` are. */
async function asTask(
  cluster: PostgresCluster,
  withPassword: (password: string, search?: string) => string,
): Promise<void> {
  const migrateWith = async (env: Record<string, string>) => {
    const { code, stderr } = await run(
      Deno.execPath(),
      ["task", "-q", "migrate"],
      { env: { PGPASSWORD: PASSWORD, ...env } },
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^database migrated: /);
  };
  const { rootCertificate, socketFolder } = cluster;
  const { port } = new URL(cluster.url());
  await migrateWith({
    DATABASE_URL: withPassword(PASSWORD, "?sslmode=verify-full"),
    PGSSLROOTCERT: rootCertificate,
  });
  await migrateWith({
    DATABASE_URL: withPassword(PASSWORD, "?sslmode=verify-full"),
    NODE_EXTRA_CA_CERTS: rootCertificate,
  });
  await migrateWith({
    DATABASE_URL: `postgres:///postgres?host=${socketFolder}&port=${port}`,
    PGUSER: "postgres",
  });
}
