/** The pool's size, and a server that has no room for it. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { startTestApp } from "../../tests/helpers/app.ts";
import { makeMigratedPlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { openDatabase } from "./database.ts";

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
