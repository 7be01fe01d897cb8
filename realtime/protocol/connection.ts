/** What is said about the connection itself. */

import { z } from "zod";
import { serverEvent } from "./define.ts";
import { RefusalCodeSchema } from "./envelope.ts";
import { EXAMPLE } from "./examples.ts";

const { connectionId } = EXAMPLE;

export const connection = {
  client: {},
  server: {
    error: serverEvent({
      summary:
        "A frame that cannot be acked was refused; the connection stays.",
      data: z.object({ code: RefusalCodeSchema, message: z.string() }),
      example: { code: "bad_request", message: "The frame is not JSON." },
    }),
    hello: serverEvent({
      summary:
        "First event of an event stream (GET /api/events): the id to post frames under.",
      data: z.object({ connectionId: z.uuid() }),
      inStream: "first",
      example: { connectionId },
    }),
    close: serverEvent({
      summary:
        "Last event of an event stream that the server ends (GET /api/events).",
      data: z.object({
        code: z.int().describe("A close code, as a WebSocket has them"),
        reason: z.string(),
      }),
      inStream: "last",
      example: { code: 1012, reason: "restarting" },
    }),
  },
};
