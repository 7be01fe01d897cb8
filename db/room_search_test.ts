/** Rooms that were made before their names had a form for the search. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { makePlace } from "../tests/helpers/database.ts";
import { silentLog } from "../tests/helpers/log.ts";
import { openDatabase } from "./engine/database.ts";
import { migrate, migrationsNamed } from "./engine/migrate.ts";
import { listAllRooms } from "./rooms.ts";

const USER = "00000000-0000-4000-8000-000000000001";

/** Names with the keys that the first release gave them, oldest first. */
const ROOMS = [
  ["Lobby", "lobby"],
  ["Lobby\ufe0f", "lobby\ufe0f"],
  ["❤\ufe0f friends", "❤\ufe0f friends"],
  ["Café İzmir", "café izmir"],
] as const;

Deno.test("the upgrade gives rooms their keys, and of two names that are one now the oldest keeps it", async () => {
  await using place = await makePlace();
  await using db = await openDatabase(place, silentLog);
  await migrate(db, migrationsNamed(["0001_initial", "0002_sessions"]));
  await sql`insert into users (id, username, created_at, updated_at)
    values (${USER}, 'ada', now(), now())`.execute(db);
  for (const [index, [name, key]] of ROOMS.entries()) {
    const at = new Date(Date.UTC(2026, 0, 1 + index));
    await sql`insert into rooms
      (id, name, name_key, created_by, created_at, last_activity_at)
      values (gen_random_uuid(), ${name}, ${key}, ${USER}, ${at}, ${at})`
      .execute(db);
  }
  await migrate(db);
  const rows = await db.selectFrom("rooms")
    .select(["name_key", "search_key"]).orderBy("created_at").execute();
  assert.deepEqual(rows, [
    { name_key: "lobby", search_key: "lobby" },
    { name_key: "lobby\ufe0f", search_key: "lobby" },
    { name_key: "❤ friends", search_key: "❤ friends" },
    { name_key: "café izmir", search_key: "cafe izmir" },
  ]);
  // A process of the version before knows nothing of the new column.
  await sql`update rooms set search_key = null where name = 'Lobby'`
    .execute(db);
  const found = await listAllRooms(db, USER, { limit: 9, query: "LOB" });
  assert.equal(found.length, 2);
});
