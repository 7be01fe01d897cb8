/** Reactions: emoji that members put to messages. */

import { z } from "zod";
import { clientEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_REACTION_EMOJI } from "./limits.ts";
import { MessageTarget, Seq } from "./shapes.ts";

const { roomId, messageId, emoji, lastRev } = EXAMPLE;

/** One emoji as people see it: a sequence that Unicode recommends for general interchange. */
export const Emoji = z.string().max(64).refine(
  (text) => /^\p{RGI_Emoji}$/v.test(text),
  "must be one emoji",
).meta({ example: emoji });

export const reactions = {
  client: {
    "reaction:set": clientEvent({
      summary:
        `Put an emoji to a message, or take it back. A message has at most ${MAX_REACTION_EMOJI} different ones.`,
      data: z.object({
        ...MessageTarget.shape,
        emoji: Emoji,
        on: z.boolean(),
      }),
      ack: z.object({ rev: Seq }),
      example: { roomId, messageId, emoji, on: true },
      ackExample: { rev: lastRev + 1 },
    }),
  },
  server: {},
};
