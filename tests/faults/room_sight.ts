/** What a client of the bare protocol knows of one room: messages in order, in the newest state it was sent. */

import type { Message, RoomChanges } from "../../realtime/protocol/protocol.ts";
import { quotedText } from "../../text/quote.ts";

export class RoomSight {
  messages: Message[] = [];
  /** `seq` of the last message taken in order. */
  position = 0;
  /** `createdAt` of that message. */
  seenAt = "";
  /** `rev` of the last change taken. */
  rev = 0;

  /** Takes the next message. */
  append(message: Message): void {
    this.messages.push(message);
    this.position = message.seq;
    this.seenAt = message.createdAt;
  }

  /** Takes changes. @returns false when some before them are missing */
  change({ prevRev, rev, messages }: RoomChanges): boolean {
    for (const state of messages) {
      this.messages = this.messages.map((held) => newest(held, state));
    }
    if (prevRev > this.rev) return false;
    this.rev = Math.max(this.rev, rev);
    return true;
  }

  /** Lets go of all messages but the last. */
  forget(): void {
    this.messages = this.messages.slice(-1);
  }
}

function newest(held: Message, state: Message): Message {
  if (held.seq === state.seq) {
    return state.rev! > (held.rev ?? 0) ? state : held;
  }
  if (held.replyTo?.seq !== state.seq) return held;
  const { messageId, seq, sender, text, deletedAt } = state;
  return {
    ...held,
    replyTo: {
      ...{ messageId, seq, sender, text: quotedText(text) },
      ...(deletedAt && { deleted: true }),
    },
  };
}
