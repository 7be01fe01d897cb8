/** Parts of a room's history, as pages and as windows around a message. */

import type { Database } from "../../db/engine/database.ts";
import {
  findSeq,
  findSeqAt,
  listAfter,
  listBefore,
} from "../../db/message_history.ts";
import { storableTime } from "../../db/times.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import type {
  MessagePage,
  MessageWindow,
} from "../../realtime/protocol/protocol.ts";
import { isUuid } from "../../realtime/protocol/shapes.ts";

/** The messages alone: what the room had changed by then is read before. */
type PageOnly<P> = Omit<P, "lastRev" | "epoch">;

/**
 * A page of a room's messages, oldest first: the newest, or those just before or just after one.
 *
 * @returns undefined when the cursor is no message of this room
 */
export async function readMessagePage(
  db: Database,
  roomId: string,
  page: {
    limit: number;
    before?: string | undefined;
    after?: string | undefined;
  },
): Promise<PageOnly<MessagePage> | undefined> {
  const cursor = page.before ?? page.after;
  const seq = cursor === undefined
    ? Number.MAX_SAFE_INTEGER
    : await findSeq(db, roomId, cursor);
  if (seq === undefined) return undefined;
  // One row more than asked for shows whether there are more.
  const forward = page.after !== undefined;
  const rows = forward
    ? await listAfter(db, roomId, seq, page.limit + 1)
    : await listBefore(db, roomId, seq, page.limit + 1);
  const hasMore = rows.length > page.limit;
  const kept = !hasMore
    ? rows
    : forward
    ? rows.slice(0, page.limit)
    : rows.slice(1);
  return { messages: kept.map(messageOfRow), hasMore };
}

/**
 * The messages around one: that of an id, or the first from a time on (the newest when all are older).
 *
 * @param side most messages on either side of it
 * @returns undefined when the room has no message of that id
 */
export async function readMessageWindow(
  db: Database,
  roomId: string,
  { around, at }: { around?: string | undefined; at?: string | undefined },
  side: number,
): Promise<PageOnly<MessageWindow> | undefined> {
  const seq = around !== undefined
    ? isUuid(around) ? await findSeq(db, roomId, around) : undefined
    : await findSeqAt(db, roomId, storableTime(at!)) ?? Number.MAX_SAFE_INTEGER;
  if (seq === undefined) return undefined;
  const older = await listBefore(db, roomId, seq, side + 1);
  const newer = await listAfter(db, roomId, seq - 1, side + 2);
  const hasOlder = older.length > side;
  const hasNewer = newer.length > side + 1;
  const rows = [
    ...older.slice(hasOlder ? 1 : 0),
    ...newer.slice(0, side + 1),
  ];
  return { messages: rows.map(messageOfRow), hasOlder, hasNewer };
}
