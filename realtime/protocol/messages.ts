/** A message, sending one, and pages of them. */

import { z } from "zod";
import { MAX_QUOTE_LENGTH } from "../../text/quote.ts";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";
import {
  ClientUuid,
  Epoch,
  RoomId,
  RoomIdInput,
  Seq,
  Time,
  UserRef,
} from "./shapes.ts";

const { roomId, messageId, clientMsgId, text, lastSeq, time, user } = EXAMPLE;

/** What a reply shows of the message it answers, as that is now. */
export const Quote = z.object({
  messageId: z.uuid(),
  seq: Seq,
  sender: UserRef,
  text: z.string().describe(
    `the first ${MAX_QUOTE_LENGTH} characters; empty when deleted`,
  ),
  deleted: z.literal(true).optional(),
}).meta({ id: "Quote" });

export type Quote = z.infer<typeof Quote>;

/** An emoji that users have put to a message. */
export const Reaction = z.object({
  emoji: z.string(),
  count: z.int(),
  userIds: z.array(z.uuid()).describe("of those who came first, at most ten"),
}).meta({ id: "Reaction" });

export type Reaction = z.infer<typeof Reaction>;

/** A message, wherever one stands: live, replayed, in history. */
export const Message = z.object({
  messageId: z.uuid().meta({ example: messageId }),
  roomId: RoomId,
  seq: Seq.describe("1, 2, 3 … within the room, without a gap"),
  text: z.string(),
  createdAt: Time,
  clientMsgId: z.uuid().meta({ example: clientMsgId }),
  sender: UserRef,
  rev: Seq.optional().describe(
    "number of the message's last change within the room; absent when it never changed",
  ),
  editedAt: Time.optional(),
  deletedAt: Time.optional().describe(
    "the text is empty then, and nothing else is left",
  ),
  deletedBy: z.enum(["author", "moderator"]).optional(),
  replyTo: Quote.optional(),
  reactions: z.array(Reaction).optional().describe(
    "in the order in which each emoji first came",
  ),
  pinnedAt: Time.optional(),
}).meta({ id: "Message" });

export type Message = z.infer<typeof Message>;

const LastRev = Seq.describe(
  "rev of the room's newest change when the page was read: what comes after it may be missing from the page",
);

/** The messages around one of them. */
export const MessageWindow = z.object({
  messages: z.array(Message).describe("oldest first"),
  hasOlder: z.boolean(),
  hasNewer: z.boolean(),
  lastRev: LastRev,
  epoch: Epoch,
}).meta({ id: "MessageWindow" });

export type MessageWindow = z.infer<typeof MessageWindow>;

/** A page of a room's history. */
export const MessagePage = z.object({
  messages: z.array(Message).describe("oldest first"),
  hasMore: z.boolean().describe(
    "more messages lie beyond this page, in the direction asked",
  ),
  lastRev: LastRev,
  epoch: Epoch,
}).meta({ id: "MessagePage" });

export type MessagePage = z.infer<typeof MessagePage>;

export const messages = {
  client: {
    "message:send": clientEvent({
      summary:
        `Post a message of 1–${MAX_TEXT_LENGTH} characters. The ack comes after it is stored. The same clientMsgId again is answered with the first message and stored once.`,
      // The length is checked after trimming, where the reason can be named.
      data: z.object({
        roomId: RoomIdInput,
        text: z.string(),
        clientMsgId: ClientUuid.describe(
          "made by the client; the same one again is the same message",
        ),
        replyTo: ClientUuid.optional().describe(
          "id of a message of the same room that this one answers",
        ),
      }),
      ack: z.object({
        messageId: z.uuid(),
        seq: Seq,
        createdAt: Time,
        isDuplicate: z.boolean().exactOptional(),
      }),
      isConcurrent: true,
      example: { roomId, text, clientMsgId },
      ackExample: { messageId, seq: lastSeq, createdAt: time },
    }),
  },
  server: {
    "message:new": serverEvent({
      summary:
        "A message was stored. Every socket subscribed to the room gets it, the sender's too, in the order of seq.",
      data: Message,
      example: {
        messageId,
        roomId,
        seq: lastSeq,
        text,
        createdAt: time,
        clientMsgId,
        sender: user,
      },
    }),
  },
};
