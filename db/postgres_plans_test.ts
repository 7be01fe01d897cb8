import { sql } from "kysely";
import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  applyChanges,
  makeRoom,
  makeUser,
  newMessage,
} from "../tests/helpers/records.ts";
import type { Database } from "./engine/database.ts";
import { memberRoomsAmong } from "./memberships.ts";
import { listChanged } from "./change_history.ts";
import {
  findMessage,
  findSeq,
  findSeqAt,
  listAfter,
  listBefore,
  listMissed,
} from "./message_history.ts";
import { findPosts, storeMessages } from "./messages.ts";
import { findRoom, listAllRooms, listUserRooms } from "./rooms.ts";

const MESSAGES = 1_000_000;
/** Messages made in one statement: must stay within the pool's time-out. */
const FILL_STEP = 100_000;
const ROOMS = 500;
const USERS = 2_000;

const test = useTestDatabase();

/** Readable ids: `uuid(7)` ends with 7. The SQL below makes the same. */
const uuid = (n: number) =>
  `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const uuidSql = (n: string) =>
  sql.raw(`('00000000-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`);

/** A big place: every user is a member of four rooms, every room has the same number of messages. */
async function fill(db: Database): Promise<void> {
  await sql`insert into users select ${uuidSql("n")}, 'user' || n, now(), now()
    from generate_series(1, ${sql.lit(USERS)}) n`.execute(db);
  await sql`insert into rooms
    select ${uuidSql("n")}, 'Big room ' || n, 'big room ' || n, ${
    uuidSql("1")
  }, now(),
      ${sql.lit(MESSAGES / ROOMS)}, now() - n * interval '1 minute'
    from generate_series(1, ${sql.lit(ROOMS)}) n`.execute(db);
  await sql`insert into memberships
    select distinct ${uuidSql(`(n * 7 + k * 131) % ${ROOMS} + 1`)}, ${
    uuidSql("n")
  }, now(), now(), 0
    from generate_series(1, ${sql.lit(USERS)}) n, generate_series(0, 3) k`
    .execute(db);
  // Rows go in much faster without keys and references; the indexes are then built as they were.
  const { rows: indexes } = await sql<{ indexdef: string }>`
    select indexdef from pg_indexes where tablename = 'messages'`.execute(db);
  await sql`create table bare (like messages)`.execute(db);
  await sql`drop table messages cascade`.execute(db);
  await sql`alter table bare rename to messages`.execute(db);
  for (let first = 0; first < MESSAGES; first += FILL_STEP) {
    await sql`insert into messages
      select gen_random_uuid(), ${uuidSql(`n % ${ROOMS} + 1`)}, n / ${
      sql.lit(ROOMS)
    } + 1,
        ${uuidSql(`n % ${USERS} + 1`)}, gen_random_uuid(), 'message ' || n,
        now() - interval '30 days' + n * interval '1 second'
      from generate_series(${sql.lit(first)}, ${
      sql.lit(first + FILL_STEP - 1)
    }) n`.execute(db);
  }
  for (const { indexdef } of indexes) await sql.raw(indexdef).execute(db);
  await sql`insert into message_changes
    select room_id, seq, seq from messages where seq % 10 = 0`.execute(db);
  await sql`insert into reactions
    select id, '👍', user_id, seq, seq from messages where seq % 10 = 0`
    .execute(db);
  await sql`insert into pins
    select id, room_id, user_id, seq, now() from messages where seq % 20 = 0`
    .execute(db);
  await sql`insert into message_edits
    select id, 1, 'before', now() from messages where seq % 20 = 0`.execute(db);
  await sql`analyze`.execute(db);
}

/** How often the messages and what stands with them were read whole, and by an index, as this connection has counted. */
async function scansOfMessages(connection: Database) {
  await sql`select pg_stat_force_next_flush()`.execute(connection);
  const { rows } = await sql<{ whole: number; indexed: number }>`
    select sum(seq_scan)::int8 as whole, sum(idx_scan)::int8 as indexed from pg_stat_user_tables
    where relname in ('messages', 'message_changes', 'reactions', 'pins', 'message_edits')`
    .execute(connection);
  return rows[0]!;
}

Deno.test("a batch costs the same when the table has grown since its plan was made", async () => {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, user);
  const batch = () =>
    Array.from({ length: 20 }, () => newMessage(roomId, user.id));
  await test.db.connection().execute(async (connection) => {
    const rowsRead = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(connection);
      const { rows: [row] } = await sql<{ read: number }>`
        select (select seq_tup_read from pg_stat_user_tables where relname = 'messages')
          + sum(idx_tup_read) as read
        from pg_stat_user_indexes where relname = 'messages'`
        .execute(connection);
      return Number(row!.read);
    };
    await sql`analyze`.execute(connection);
    for (let call = 0; call < 50; call++) {
      await storeMessages(connection, batch(), new Date());
    }
    const before = await rowsRead();
    await storeMessages(connection, batch(), new Date());
    assert.equal(await rowsRead() - before, 0);
  });
});

Deno.test("with a million messages no query of the product reads the table whole", async (t) => {
  await fill(test.db);
  const room = uuid(8);
  const newest = MESSAGES / ROOMS;
  const { rows: [sample] } = await sql<
    { id: string; client_msg_id: string; user_id: string }
  >`
    select id, client_msg_id, user_id from messages where room_id = ${room} and seq = 100`
    .execute(test.db);
  const { rows: [member] } = await sql<{ user_id: string }>`
    select user_id from memberships where room_id = ${room} limit 1`.execute(
    test.db,
  );
  const userId = member!.user_id;
  const key = {
    roomId: room,
    userId: sample!.user_id,
    clientMsgId: sample!.client_msg_id,
  };

  const queries: Record<string, (db: Database) => Promise<unknown[]>> = {
    "newest page of history": (db) => listBefore(db, room, newest + 1, 50),
    "older page of history": (db) => listBefore(db, room, 1_000, 50),
    "history after a message": (db) => listAfter(db, room, 1_000, 50),
    "a cursor": async (db) => [await findSeq(db, room, sample!.id)],
    "a message": async (db) => [await findMessage(db, room, sample!.id)],
    "a time": async (db) => [await findSeqAt(db, room, new Date(0))],
    "sync of many rooms' changes": (db) =>
      listChanged(
        db,
        Array.from({ length: 20 }, (_, n) => ({
          roomId: uuid(n + 1),
          afterRev: newest - 50,
          fromSeq: newest - 500,
          toSeq: newest,
        })),
        101,
      ),
    "a batch of changes": (db) =>
      applyChanges(db, [{
        ...{ kind: "edit", text: `now ${Math.random()}`, roomId: room },
        ...{ messageId: sample!.id, userId: sample!.user_id },
      }]),
    "the user's rooms, with what is unread": (db) =>
      listUserRooms(db, userId, { limit: 100 }),
    "all rooms": (db) => listAllRooms(db, userId, { limit: 100 }),
    "one room": async (db) => [await findRoom(db, room, userId)],
    "a duplicate": (db) => findPosts(db, key.userId, [key]),
    "sync of many rooms by number": (db) =>
      listMissed(
        db,
        Array.from(
          { length: 20 },
          (_, n) => ({ roomId: uuid(n + 1), afterSeq: newest - 50 }),
        ),
        101,
      ),
    "sync by time": (db) =>
      listMissed(db, [{
        roomId: room,
        since: new Date(Date.now() - 20 * 86_400_000),
      }], 101),
    "a batch with a message sent before": (db) =>
      storeMessages(
        db,
        [newMessage(room, userId), {
          ...newMessage(room, sample!.user_id),
          clientMsgId: sample!.client_msg_id,
        }],
        new Date(),
      ),
  };
  for (const [name, query] of Object.entries(queries)) {
    await t.step(name, async () => {
      await test.db.connection().execute(async (connection) => {
        // A prepared statement gets its lasting plan with the sixth call.
        for (let call = 0; call < 7; call++) {
          const before = await scansOfMessages(connection);
          const rows = await query(connection);
          const after = await scansOfMessages(connection);
          assert.ok(
            rows.length > 0 && rows[0] !== undefined,
            "it finds something",
          );
          assert.equal(
            after.whole - before.whole,
            0,
            "whole reads of the table",
          );
          assert.ok(after.indexed > before.indexed, "reads by an index");
        }
      });
    });
  }
  const untouched: Record<string, (db: Database) => Promise<unknown>> = {
    "a batch of new messages": (db) =>
      storeMessages(db, [newMessage(room, userId)], new Date()),
    "which rooms the user is in": (db) => memberRoomsAmong(db, userId, [room]),
  };
  for (const [name, query] of Object.entries(untouched)) {
    await t.step(`${name}, without a look into messages`, async () => {
      await test.db.connection().execute(async (connection) => {
        const before = await scansOfMessages(connection);
        await query(connection);
        assert.deepEqual(await scansOfMessages(connection), before);
      });
    });
  }
});
