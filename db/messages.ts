import { type RawBuilder, sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { isUniqueViolation } from "./engine/errors.ts";

/** A message on its way into the database. */
export interface NewMessage {
  id: string;
  roomId: string;
  userId: string;
  clientMsgId: string;
  text: string;
  /** The message of the same room that it answers. */
  replyTo?:
    | { messageId: string; seq: number; sender: { id: string } }
    | undefined;
}

/** The row a new message became, or the earlier one of the same user, room and client id. */
export interface StoredMessage {
  /** Position in the list that was given. */
  index: number;
  /** Differs from the given id when the message was stored before. */
  id: string;
  seq: number;
  created_at: Date;
}

/**
 * Stores messages of any rooms as one commit: each room's next numbers, the rows and the rooms'
 * activity. A message whose author is no member of the room is left out of the result; one that is
 * stored already comes back as it was stored.
 *
 * The update of `rooms` locks each room until the commit, so numbers are given in commit order and
 * without a gap, with any number of writers. When another writer stores the same client id at the
 * same moment the unique index fails the whole statement (see {@link isUniqueViolation}): nothing is
 * stored and the caller tries again.
 *
 * Almost every message is new, so the first statement looks for none of them: the unique index
 * refuses the batch when one is known, and only then a second statement tells known from new.
 *
 * @param messages at most one of each (user, room, client id)
 * @param now becomes `created_at`, but never less than that of the room's message before
 */
export async function storeMessages(
  db: Database,
  messages: readonly NewMessage[],
  now: Date,
): Promise<StoredMessage[]> {
  const records = messages.map(toRecord);
  try {
    const stored = await storeNew(db, records, now);
    if (stored.length === records.length) return stored;
    // Those left out are no members; what they had stored while they were still has its answer.
    const done = new Set(stored.map((row) => row.index));
    const others = records.filter((record) => !done.has(record.index));
    return [...stored, ...await storeOrFind(db, others, now)];
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return await storeOrFind(db, records, now);
  }
}

type MessageRecord = ReturnType<typeof toRecord>;

function toRecord(message: NewMessage, index: number) {
  return {
    index,
    id: message.id,
    room_id: message.roomId,
    user_id: message.userId,
    client_msg_id: message.clientMsgId,
    text: message.text,
    reply_to: message.replyTo?.messageId,
    reply_to_seq: message.replyTo?.seq,
    reply_to_user_id: message.replyTo?.sender.id,
  };
}

/** What both statements read: the records as rows. */
const givenRecords = (records: readonly MessageRecord[]) =>
  sql`json_to_recordset(${JSON.stringify(records)}::json) as g(
    index int, id uuid, room_id uuid, user_id uuid, client_msg_id uuid, text text,
    reply_to uuid, reply_to_seq bigint, reply_to_user_id uuid
  )`;

/** What is stored of a record as it is, beside its number and time. */
const GIVEN_COLUMNS = sql.raw(
  "id, room_id, user_id, client_msg_id, text, reply_to, reply_to_seq, reply_to_user_id",
);

/**
 * Stores messages that are all taken for new.
 *
 * Nothing in here may depend on how large `messages` was when the statement was prepared: a look-up
 * that was planned for a small table went on reading it whole as it grew (20 rows: 1.3 ms, and 13 ms
 * three seconds later).
 */
async function storeNew(
  db: Database,
  records: readonly MessageRecord[],
  now: Date,
): Promise<StoredMessage[]> {
  const { rows } = await sql<StoredMessage>`
    with given as materialized (
      select g.* from ${givenRecords(records)}
      where (
        select true from memberships m where m.room_id = g.room_id and m.user_id = g.user_id limit 1
      )
    ), counted as (
      ${
    nextNumbers(
      sql`select room_id, count(*) as added from given group by room_id`,
      now,
    )
  }
    ), numbered as materialized (
      select g.*, c.base + row_number() over (partition by g.room_id order by g.index) as seq, c.at
      from given g join counted c on c.room_id = g.room_id
    ), stored as (
      insert into messages (${GIVEN_COLUMNS}, seq, created_at)
      select ${GIVEN_COLUMNS}, seq, at from numbered
    )
    select index, id, seq, at as created_at from numbered
  `.execute(db);
  return rows;
}

/** Stores those messages that are new and finds the others. */
async function storeOrFind(
  db: Database,
  records: readonly MessageRecord[],
  now: Date,
): Promise<StoredMessage[]> {
  const { rows } = await sql<StoredMessage>`
    with given as materialized (
      select g.*, known.id as known_id, known.seq as known_seq, known.created_at as known_at
      from ${givenRecords(records)}
      left join lateral (
        select id, seq, created_at from messages known where known.user_id = g.user_id
          and known.room_id = g.room_id and known.client_msg_id = g.client_msg_id
        limit 1
      ) known on true
      where known.id is not null or (
        select true from memberships m where m.room_id = g.room_id and m.user_id = g.user_id limit 1
      )
    ), counted as (
      ${
    nextNumbers(
      sql`select room_id, count(*) as added from given where known_id is null group by room_id`,
      now,
    )
  }
    ), numbered as (
      select g.*, c.base + row_number() over (partition by g.room_id order by g.index) as seq, c.at
      from given g join counted c on c.room_id = g.room_id
      where g.known_id is null
    ), stored as (
      insert into messages (${GIVEN_COLUMNS}, seq, created_at)
      select ${GIVEN_COLUMNS}, seq, at from numbered
      returning id, seq, created_at
    )
    select g.index, s.id, s.seq, s.created_at from stored s join given g on g.id = s.id
    union all
    select index, known_id, known_seq, known_at from given where known_id is not null
  `.execute(db);
  return rows;
}

/**
 * Takes the next numbers of rooms: `base` is each room's newest before them, `at` their time.
 *
 * Another process may take numbers of the same rooms at the same moment. The rooms are locked in order
 * of their ids first, one look-up each: otherwise two batches wait for each other until PostgreSQL
 * notices, a second later, and ends one of them.
 */
const nextNumbers = (added: RawBuilder<unknown>, now: Date) =>
  sql`with locked as materialized (
      select n.room_id, n.added from (${added} order by room_id) n
      cross join lateral (
        select from rooms r where r.id = n.room_id for no key update
      ) room
    )
    update rooms
    set last_seq = last_seq + n.added, last_activity_at = greatest(last_activity_at, ${now}::timestamptz)
    from locked n
    where rooms.id = n.room_id
    returning rooms.id as room_id, rooms.last_seq - n.added as base, rooms.last_activity_at as at`;

/** What is stored about a message that a user wants to post. */
export interface KnownPost {
  roomExists: boolean;
  isMember: boolean;
  /** The message the user has stored in the room under the same client id. */
  stored: { id: string; seq: number; created_at: Date } | undefined;
}

/** What is stored about messages that a user wants to post, in their order. */
export async function findPosts(
  db: Database,
  userId: string,
  posts: readonly { roomId: string; clientMsgId: string }[],
): Promise<KnownPost[]> {
  const given = posts.map(({ roomId, clientMsgId }, index) => ({
    index,
    room_id: roomId,
    client_msg_id: clientMsgId,
  }));
  // One look-up each, whatever the planner thinks of the tables' sizes.
  const { rows } = await sql<{
    room_exists: boolean | null;
    is_member: boolean | null;
    id: string | null;
    seq: number;
    created_at: Date;
  }>`
    select room.found as room_exists, member.found as is_member, known.*
    from json_to_recordset(${JSON.stringify(given)}::json)
      as g(index int, room_id uuid, client_msg_id uuid)
    left join lateral (
      select true as found from rooms r where r.id = g.room_id limit 1
    ) room on true
    left join lateral (
      select true as found from memberships m
      where m.room_id = g.room_id and m.user_id = ${userId} limit 1
    ) member on true
    left join lateral (
      select id, seq, created_at from messages m where m.user_id = ${userId}
        and m.room_id = g.room_id and m.client_msg_id = g.client_msg_id
      limit 1
    ) known on true
    order by g.index
  `.execute(db);
  return rows.map(({ room_exists, is_member, id, seq, created_at }) => ({
    roomExists: room_exists === true,
    isMember: is_member === true,
    stored: id === null ? undefined : { id, seq, created_at },
  }));
}
