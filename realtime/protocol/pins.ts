/** Pins: messages that a room keeps at hand. */

import { z } from "zod";
import { clientEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_PINS } from "./limits.ts";
import { MessageTarget, Seq } from "./shapes.ts";

const { roomId, messageId, lastRev } = EXAMPLE;

export const pins = {
  client: {
    "pin:set": clientEvent({
      summary:
        `Pin a message to its room, or unpin it. For moderators; a room has at most ${MAX_PINS} pins.`,
      data: z.object({ ...MessageTarget.shape, on: z.boolean() }),
      ack: z.object({ rev: Seq }),
      example: { roomId, messageId, on: true },
      ackExample: { rev: lastRev + 1 },
    }),
  },
  server: {},
};
