import { shownName } from "../../db/accounts.ts";
import type { MessageRow } from "../../db/message_history.ts";
import type { Message } from "../protocol/protocol.ts";

/** A stored message as clients see it. */
export function messageOfRow(row: MessageRow): Message {
  return {
    messageId: row.id,
    roomId: row.room_id,
    seq: row.seq,
    text: row.text,
    createdAt: row.created_at.toISOString(),
    clientMsgId: row.client_msg_id,
    sender: { id: row.user_id, username: shownName(row.username) },
  };
}
