import { shownName } from "../../db/accounts.ts";
import type { MessageRow } from "../../db/message_rows.ts";
import { quotedText } from "../../text/quote.ts";
import type { Message, Quote } from "../protocol/protocol.ts";

/** A stored message as clients see it. */
export function messageOfRow(row: MessageRow): Message {
  const message: Message = {
    messageId: row.id,
    roomId: row.room_id,
    seq: row.seq,
    text: row.text,
    createdAt: row.created_at.toISOString(),
    clientMsgId: row.client_msg_id,
    sender: { id: row.user_id, username: shownName(row.username) },
  };
  if (row.rev !== null) message.rev = row.rev;
  if (row.edited_at !== null) message.editedAt = row.edited_at.toISOString();
  if (row.deleted_at !== null) {
    message.deletedAt = row.deleted_at.toISOString();
    message.deletedBy = row.deleted_by!;
  }
  if (row.reply_to !== null) message.replyTo = quoteOfRow(row, row.reply_to);
  if (row.reactions !== null) message.reactions = row.reactions;
  if (row.pinned_at !== null) message.pinnedAt = row.pinned_at.toISOString();
  return message;
}

function quoteOfRow(row: MessageRow, messageId: string): Quote {
  const text = row.reply_to_text;
  return {
    messageId,
    seq: row.reply_to_seq!,
    sender: {
      id: row.reply_to_user_id!,
      username: shownName(row.reply_to_username!),
    },
    text: text ?? "",
    ...(text === null && { deleted: true }),
  };
}

/** What a reply shows of a message. */
export function quoteOf(message: Message): Quote {
  const { messageId, seq, sender, text, deletedAt } = message;
  return {
    ...{ messageId, seq, sender, text: quotedText(text) },
    ...(deletedAt !== undefined && { deleted: true }),
  };
}
