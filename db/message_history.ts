import { type SelectQueryBuilder, sql } from "kysely";
import type { Database } from "./engine/database.ts";
import type { Schema } from "./schema.ts";

/** A stored message with its author's name. */
export interface MessageRow {
  id: string;
  room_id: string;
  seq: number;
  user_id: string;
  username: string;
  client_msg_id: string;
  text: string;
  created_at: Date;
}

/** The `seq` of a room's message, undefined when there is no such message in that room. */
export async function findSeq(
  db: Database,
  roomId: string,
  messageId: string,
): Promise<number | undefined> {
  const row = await db.selectFrom("messages").select("seq")
    .where("id", "=", messageId).where("room_id", "=", roomId)
    .executeTakeFirst();
  return row?.seq;
}

/** The newest messages of a room below a `seq`, oldest first. */
export async function listBefore(
  db: Database,
  roomId: string,
  beforeSeq: number,
  limit: number,
): Promise<MessageRow[]> {
  const newestFirst = await withAuthor(
    db.selectFrom("messages").where("room_id", "=", roomId).where(
      "seq",
      "<",
      beforeSeq,
    ),
  ).orderBy("seq", "desc").limit(limit).execute();
  return newestFirst.reverse();
}

/** The first messages of a room above a `seq`, oldest first. */
export async function listAfter(
  db: Database,
  roomId: string,
  afterSeq: number,
  limit: number,
): Promise<MessageRow[]> {
  return await withAuthor(
    db.selectFrom("messages").where("room_id", "=", roomId).where(
      "seq",
      ">",
      afterSeq,
    ),
  ).orderBy("seq").limit(limit).execute();
}

function withAuthor<O>(query: SelectQueryBuilder<Schema, "messages", O>) {
  return query.innerJoin("users", "users.id", "messages.user_id").select([
    "messages.id",
    "room_id",
    "seq",
    "user_id",
    "username",
    "client_msg_id",
    "text",
    "messages.created_at",
  ]);
}

/** From where a room's missed messages are read: after a `seq`, or from a time on. */
export type ReplayPosition =
  | { roomId: string; afterSeq: number }
  | { roomId: string; since: Date };

/**
 * What each room has after its position, oldest first, in one query.
 *
 * From a time on means messages of that same millisecond too: some may be known already, none is
 * skipped.
 *
 * @param limit most messages of one room
 */
export async function listMissed(
  db: Database,
  positions: readonly ReplayPosition[],
  limit: number,
): Promise<MessageRow[]> {
  if (positions.length === 0) return [];
  const { rows } = await sql<MessageRow>`
    select m.id, m.room_id, m.seq, m.user_id, u.username, m.client_msg_id, m.text, m.created_at
    from json_to_recordset(${JSON.stringify(positions)}::json)
      as p("roomId" uuid, "afterSeq" bigint, since timestamptz)
    cross join lateral (
      select * from messages
      where room_id = p."roomId" and seq > coalesce(p."afterSeq", (
        select seq - 1 from messages first
        where first.room_id = p."roomId" and first.created_at >= p.since
        order by first.created_at, first.seq limit 1
      ))
      order by seq limit ${limit}
    ) m
    join users u on u.id = m.user_id
    order by m.room_id, m.seq
  `.execute(db);
  return rows;
}
