/** How far a user has read a room. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { RoomId, RoomIdInput, Seq } from "./shapes.ts";

const { roomId, lastSeq } = EXAMPLE;

export const readMarkers = {
  client: {
    "room:read": clientEvent({
      summary:
        "Mark the room as read up to a message, on all of the user's devices.",
      data: z.object({ roomId: RoomIdInput, lastSeq: Seq }),
      ack: z.object({ lastSeq: Seq }),
      example: { roomId, lastSeq },
      ackExample: { lastSeq },
    }),
  },
  server: {
    "room:read": serverEvent({
      summary:
        "The user read the room on another device; to the user's own sockets only.",
      data: z.object({ roomId: RoomId, lastSeq: Seq }),
      example: { roomId, lastSeq },
    }),
  },
};
