/** A message, sending one, and pages of them. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";
import {
  ClientUuid,
  RoomId,
  RoomIdInput,
  Seq,
  Time,
  UserRef,
} from "./shapes.ts";

const { roomId, messageId, clientMsgId, text, lastSeq, time, user } = EXAMPLE;

/** A message, wherever one stands: live, replayed, in history. */
export const Message = z.object({
  messageId: z.uuid().meta({ example: messageId }),
  roomId: RoomId,
  seq: Seq.describe("1, 2, 3 … within the room, without a gap"),
  text: z.string(),
  createdAt: Time,
  clientMsgId: z.uuid().meta({ example: clientMsgId }),
  sender: UserRef,
}).meta({ id: "Message" });

export type Message = z.infer<typeof Message>;

/** A page of a room's history. */
export const MessagePage = z.object({
  messages: z.array(Message).describe("oldest first"),
  hasMore: z.boolean().describe(
    "more messages lie beyond this page, in the direction asked",
  ),
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
        clientMsgId: ClientUuid,
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
