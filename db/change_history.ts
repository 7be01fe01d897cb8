/** What has changed in rooms, as clients catch up with it, and what is kept of earlier texts. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { type MessageRow, readMessages } from "./message_rows.ts";

/** From where a room's changes are read, and of which of its messages. */
export interface ChangePosition {
  roomId: string;
  /** Changes after this one. */
  afterRev: number;
  /** The numbers of the first and the last message the client holds. */
  fromSeq: number;
  toSeq: number;
}

/**
 * The changed messages of each room after a position, in their present state and in the order of
 * `rev`: those in the range, and those that a message in the range quotes.
 *
 * @param limit most messages of one room
 */
export async function listChanged(
  db: Database,
  positions: readonly ChangePosition[],
  limit: number,
): Promise<MessageRow[]> {
  if (positions.length === 0) return [];
  const rows = await readMessages(
    db,
    sql`
    select message.* from json_to_recordset(${JSON.stringify(positions)}::json)
      as p("roomId" uuid, "afterRev" bigint, "fromSeq" bigint, "toSeq" bigint)
    cross join lateral (
      select c.seq from message_changes c
      where c.room_id = p."roomId" and c.rev > p."afterRev" and (
        c.seq between p."fromSeq" and p."toSeq" or exists (
          select from messages reply where reply.room_id = c.room_id
            and reply.reply_to_seq = c.seq and reply.seq between p."fromSeq" and p."toSeq"
        )
      )
      order by c.rev limit ${limit}
    ) changed
    cross join lateral (
      select * from messages m where m.room_id = p."roomId" and m.seq = changed.seq limit 1
    ) message`,
  );
  return rows.sort((a, b) => a.rev! - b.rev!);
}

/** The newest `rev` of a room, and its changed messages after a `rev`, in order; of that many the first. */
export async function readChangesAfter(
  db: Database,
  roomId: string,
  afterRev: number,
  limit: number,
): Promise<{ lastRev: number; rows: MessageRow[] }> {
  // Read first: what is changed after it is not counted as read.
  const room = await db.selectFrom("rooms").select("last_rev")
    .where("id", "=", roomId).executeTakeFirst();
  const lastRev = room?.last_rev ?? 0;
  if (lastRev <= afterRev) return { lastRev, rows: [] };
  const all = { fromSeq: 0, toSeq: Number.MAX_SAFE_INTEGER };
  const rows = await listChanged(db, [{ roomId, afterRev, ...all }], limit);
  return { lastRev, rows };
}

/** A room's pinned messages, the newest pin first. */
export async function listPinned(
  db: Database,
  roomId: string,
): Promise<MessageRow[]> {
  const rows = await readMessages(
    db,
    sql`select m.* from pins p join messages m on m.id = p.message_id
      where p.room_id = ${roomId}`,
  );
  return rows.sort((a, b) => b.pin_rev! - a.pin_rev!);
}

/** The texts that a message had before its present one, oldest first. */
export async function listEdits(
  db: Database,
  messageId: string,
): Promise<{ text: string; at: Date }[]> {
  return await db.selectFrom("message_edits").select(["text", "at"])
    .where("message_id", "=", messageId).orderBy("number").execute();
}
