/** A database of the first release, as `pg_dump` gave it, is opened by this program. */

import { PGlite } from "@electric-sql/pglite";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { startTestApp } from "../tests/helpers/app.ts";
import { connect } from "../tests/helpers/client.ts";
import {
  makePlace,
  openTestDatabase,
  type TestPlace,
} from "../tests/helpers/database.ts";
import { silentLog } from "../tests/helpers/log.ts";
import { type Room, signIn } from "../tests/helpers/people.ts";
import { execute } from "../tests/helpers/postgres.ts";
import { type Database, openDatabase } from "./engine/database.ts";
import { migrate } from "./engine/migrate.ts";

const DUMP = new URL("../tests/fixtures/schema_0001.sql", import.meta.url);

async function loadRelease(place: TestPlace): Promise<void> {
  const dump = await Deno.readTextFile(DUMP);
  if (place.databaseUrl === undefined) {
    const pglite = await PGlite.create(`${place.dataDir}/postgres`);
    await pglite.exec(dump);
    await pglite.close();
  } else {
    await execute(place.databaseUrl, dump);
  }
}

/** Columns, constraints and indexes, each in a line. */
async function shapeOf(db: Database): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select concat_ws(' ', table_name, column_name, data_type, datetime_precision, is_nullable, column_default) as line
    from information_schema.columns where table_schema = 'public'
    union all
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select indexdef from pg_indexes where schemaname = 'public'
    union all
    select relname || ' ' || array_to_string(reloptions, ',') from pg_class
    where relnamespace = 'public'::regnamespace and reloptions is not null
  `.execute(db);
  return rows.map(({ line }) => line.replaceAll("public.", "")).sort();
}

Deno.test("an upgraded database of the first release has the schema of a new one", async () => {
  await using place = await makePlace();
  await loadRelease(place);
  await using upgraded = await openDatabase(place, silentLog);
  const applied = await migrate(upgraded);
  assert.ok(!applied.includes("0001_initial"), applied.join());
  await using fresh = await openTestDatabase();
  assert.deepEqual(await shapeOf(upgraded), await shapeOf(fresh.db));
});

Deno.test("people of the first release find their rooms and words after the upgrade and go on talking", async () => {
  await using place = await makePlace();
  await loadRelease(place);
  await using app = await startTestApp({}, { place });
  const bob = await signIn(app, "bob");
  assert.equal(bob.user.id, "00000000-0000-4000-8000-000000000002");
  const rooms = await bob.getJson<Room[]>("/api/rooms");
  assert.deepEqual(rooms.map(({ name }) => name), ["Çay", "Lobby"]);
  const lobby = rooms.find(({ name }) => name === "Lobby")!;
  const { messages } = await bob.getJson<
    { messages: { seq: number; text: string; sender: { username: string } }[] }
  >(`/api/rooms/${lobby.id}/messages`);
  assert.deepEqual(
    messages.map(({ seq, text, sender }) => [seq, sender.username, text]),
    [
      [1, "alice", "hello"],
      [2, "bob", "quote ' \" \\ "],
      [3, "alice", "👩‍👩‍👧‍👦 İ ı"],
      [4, "bob", "line\nline"],
    ],
  );
  await using client = await connect(app, bob);
  const { seq } = await client.expect("message:send", {
    roomId: lobby.id,
    text: "after the upgrade",
    clientMsgId: crypto.randomUUID(),
  });
  assert.equal(seq, 5);
});
