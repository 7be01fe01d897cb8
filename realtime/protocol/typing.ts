/** Who is typing in a room. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { TYPING_TIMEOUT_MS } from "./limits.ts";
import { RoomId, RoomIdInput, UserRef } from "./shapes.ts";

const { roomId, user } = EXAMPLE;

export const typing = {
  client: {
    "typing:update": clientEvent({
      summary: `Say that the user types or stopped. Ends by itself ${
        TYPING_TIMEOUT_MS / 1000
      } s after the last one.`,
      data: z.object({ roomId: RoomIdInput, isTyping: z.boolean() }),
      ack: z.object({}),
      example: { roomId, isTyping: true },
      ackExample: {},
    }),
  },
  server: {
    "typing:update": serverEvent({
      summary: "Someone else types, or stopped.",
      data: z.object({ roomId: RoomId, user: UserRef, isTyping: z.boolean() }),
      example: { roomId, user, isTyping: true },
    }),
  },
};
