/** Changes of messages that stand in a room: editing and deleting them, and how everyone learns of it. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";
import { Message } from "./messages.ts";
import { MessageTarget, RoomId, Seq, Time } from "./shapes.ts";

const { roomId, messageId, clientMsgId, text, lastSeq, lastRev, time, user } =
  EXAMPLE;

/** What has changed in a room between two of its changes. */
const RoomChanges = z.object({
  roomId: RoomId,
  prevRev: Seq.describe("a client whose position is older has to sync"),
  rev: Seq.describe("the client's position after these changes"),
  messages: z.array(Message).describe(
    "present states; one applies where its rev is greater than that of the message held",
  ),
});

export type RoomChanges = z.infer<typeof RoomChanges>;

export const changes = {
  client: {
    "message:edit": clientEvent({
      summary:
        `Replace the text of a message of one's own, 1–${MAX_TEXT_LENGTH} characters. The same text again changes nothing. With baseRev the edit is refused when the text was changed after it.`,
      data: z.object({
        ...MessageTarget.shape,
        text: z.string(),
        baseRev: Seq.optional().describe(
          "rev of the message as it was edited: refused when the text was changed after it",
        ),
      }),
      ack: z.object({ rev: Seq, editedAt: Time.exactOptional() }),
      example: { roomId, messageId, text: `${text} Again!` },
      ackExample: { rev: lastRev + 1, editedAt: time },
    }),
    "message:delete": clientEvent({
      summary:
        "Take back a message: its text, edits, reactions and pin are removed; its place stays. For its author and moderators.",
      data: MessageTarget,
      ack: z.object({ rev: Seq }),
      example: { roomId, messageId },
      ackExample: { rev: lastRev + 1 },
    }),
  },
  server: {
    "room:changes": serverEvent({
      summary:
        "Messages were changed. To every socket subscribed to the room: the first change at once, those that follow quickly merged.",
      data: RoomChanges,
      example: {
        roomId,
        prevRev: lastRev - 1,
        rev: lastRev,
        messages: [{
          messageId,
          roomId,
          seq: lastSeq,
          text,
          createdAt: time,
          clientMsgId,
          sender: user,
          rev: lastRev,
          editedAt: time,
        }],
      },
    }),
  },
};
