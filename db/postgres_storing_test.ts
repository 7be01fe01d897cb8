/** Several processes that store at the same moment: on one connection, as the embedded database has, they cannot. */

import assert from "node:assert/strict";
import { sql } from "kysely";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { deleteAccount } from "./accounts.ts";
import { storeReadMarkers } from "./memberships.ts";
import { listAfter } from "./message_history.ts";
import { storeMessages } from "./messages.ts";
import { removeOldMessages } from "./retention.ts";

const test = useTestDatabase();

const ROOMS = 10;
const WRITERS = 4;
const BATCHES = 40;

/** Members of the room in which several processes move reading marks. */
const MEMBERS = 40;

Deno.test("batches of several processes over the same rooms, in whatever order, do not wait for each other in a circle", async () => {
  const user = await makeUser(test.db);
  const roomIds: string[] = [];
  for (let made = 0; made < ROOMS; made++) {
    roomIds.push(await makeRoom(test.db, user));
  }
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    // A deadlock fails the statement; nobody here would try it again.
    for (let batch = 0; batch < BATCHES; batch++) {
      const ordered = writer % 2 === 0 ? roomIds : roomIds.toReversed();
      await storeMessages(
        test.db,
        ordered.map((roomId) => newMessage(roomId, user.id)),
        NOON,
      );
    }
  });
  await Promise.all(writers);
  for (const roomId of roomIds) {
    const rows = await listAfter(test.db, roomId, 0, WRITERS * BATCHES + 1);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      Array.from({ length: WRITERS * BATCHES }, (_, index) => index + 1),
    );
  }
});

Deno.test("reading marks of several processes, an account that is removed and old messages do not wait for each other in a circle", async () => {
  const [owner, leaving] = [await makeUser(test.db), await makeUser(test.db)];
  const roomIds: string[] = [];
  for (let made = 0; made < ROOMS; made++) {
    roomIds.push(await makeRoom(test.db, owner));
  }
  const userIds = [leaving.id];
  while (userIds.length < MEMBERS) userIds.push((await makeUser(test.db)).id);
  await test.db.insertInto("memberships").values(
    roomIds.flatMap((room_id) =>
      userIds.map((user_id) => ({
        room_id,
        user_id,
        joined_at: NOON,
        last_seen_at: NOON,
        last_seen_seq: 0,
      }))
    ),
  ).execute();
  await storeMessages(
    test.db,
    roomIds.map((roomId) => newMessage(roomId, owner.id)),
    NOON,
  );
  const mark = async (writer: number) => {
    for (let seq = 1; seq <= BATCHES; seq++) {
      const marks = roomIds.flatMap((roomId) =>
        userIds.map((userId) => ({ roomId, userId, seq, at: NOON }))
      );
      await test.db.transaction().execute(async (inner) => {
        // The plan for a table with many memberships: one look-up each, in the order given.
        for (const name of ["hashjoin", "mergejoin", "seqscan"]) {
          await sql`set local ${sql.raw(`enable_${name}`)} = off`.execute(
            inner,
          );
        }
        // A deadlock fails the statement.
        await storeReadMarkers(
          inner,
          writer % 2 === 0 ? marks : marks.toReversed(),
        );
      });
    }
  };
  await Promise.all([
    ...Array.from({ length: WRITERS }, (_, writer) => mark(writer)),
    deleteAccount(test.db, leaving.id, NOON),
    removeOldMessages(test.db, new Date(NOON.getTime() + 1), 1_000),
  ]);
  const behind = await test.db.selectFrom("memberships").select("user_id")
    .where("user_id", "in", userIds).where("last_seen_seq", "<", BATCHES)
    .execute();
  assert.deepEqual(behind, []);
});
