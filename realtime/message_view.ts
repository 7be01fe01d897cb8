import type { MessageRow } from "../db/messages.ts";
import type { MessageNew } from "./protocol.ts";

/** A stored message as clients see it, live and in history. */
export function messageOfRow(row: MessageRow): MessageNew {
  return {
    messageId: row.id,
    roomId: row.room_id,
    seq: row.seq,
    text: row.text,
    createdAt: row.created_at.toISOString(),
    clientMsgId: row.client_msg_id,
    sender: { id: row.user_id, username: row.username },
  };
}
