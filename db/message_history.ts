import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { type MessageRow, readMessages } from "./message_rows.ts";

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

/** The `seq` of a room's first message from a time on; undefined when all are older. */
export async function findSeqAt(
  db: Database,
  roomId: string,
  at: Date,
): Promise<number | undefined> {
  const row = await db.selectFrom("messages").select("seq")
    .where("room_id", "=", roomId).where("created_at", ">=", at)
    .orderBy("created_at").orderBy("seq").limit(1).executeTakeFirst();
  return row?.seq;
}

/** A room's message; undefined when there is no such message in that room. */
export async function findMessage(
  db: Database,
  roomId: string,
  messageId: string,
): Promise<MessageRow | undefined> {
  const [row] = await readMessages(
    db,
    sql`select * from messages where id = ${messageId} and room_id = ${roomId}`,
  );
  return row;
}

/** The newest messages of a room below a `seq`, oldest first. */
export async function listBefore(
  db: Database,
  roomId: string,
  beforeSeq: number,
  limit: number,
): Promise<MessageRow[]> {
  return await readMessages(
    db,
    sql`select * from messages where room_id = ${roomId} and seq < ${beforeSeq}
      order by seq desc limit ${limit}`,
  );
}

/** The first messages of a room above a `seq`, oldest first. */
export async function listAfter(
  db: Database,
  roomId: string,
  afterSeq: number,
  limit: number,
): Promise<MessageRow[]> {
  return await readMessages(
    db,
    sql`select * from messages where room_id = ${roomId} and seq > ${afterSeq}
      order by seq limit ${limit}`,
  );
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
  return await readMessages(
    db,
    sql`
    select missed.* from json_to_recordset(${JSON.stringify(positions)}::json)
      as p("roomId" uuid, "afterSeq" bigint, since timestamptz)
    cross join lateral (
      select * from messages
      where room_id = p."roomId" and seq > coalesce(p."afterSeq", (
        select seq - 1 from messages first
        where first.room_id = p."roomId" and first.created_at >= p.since
        order by first.created_at, first.seq limit 1
      ))
      order by seq limit ${limit}
    ) missed`,
  );
}
