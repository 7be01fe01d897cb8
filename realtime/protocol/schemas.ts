/** How client frames are checked. The document of the realtime protocol is made from the same schemas. */

import { z } from "zod";
import {
  type ClientEventName,
  type ClientEvents,
  MAX_SYNC_ROOMS,
} from "./protocol.ts";

/** Any UUID, in lower case as the database writes it. */
const uuid = z.guid().toLowerCase();

/**
 * A room's id. Any short text is let through: one that is no UUID names no room, which is answered
 * like any other unknown room.
 */
const roomId = z.string().min(1).max(64).toLowerCase().describe("Id of a room");

const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const position = z.object({
  roomId,
  lastSeenAt: z.iso.datetime({ offset: true }).optional()
    .describe(
      "Time of the newest message seen; replays from this millisecond on",
    ),
  lastSeq: seq.optional()
    .describe(
      "seq of the newest message seen; replays what comes after it. Wins over lastSeenAt",
    ),
});

/** The data of each client event. */
export const CLIENT_EVENT_SCHEMAS = {
  "rooms:sync": z.object({ rooms: z.array(position).max(MAX_SYNC_ROOMS) }),
  "room:join": position,
  "room:leave": z.object({ roomId }),
  "room:read": z.object({ roomId, lastSeq: seq }),
  "message:send": z.object({ roomId, text: z.string(), clientMsgId: uuid }),
  "typing:update": z.object({ roomId, isTyping: z.boolean() }),
  "presence:ping": z.object({ roomId: roomId.optional() }),
} satisfies { [E in ClientEventName]: z.ZodType<ClientEvents[E]> };

/** The frame around the data. */
export const ENVELOPE_SCHEMA = z.object({
  id: seq.optional().describe("Asks for an ack, which carries the same number"),
  event: z.string(),
  data: z.looseObject({}),
});

/** Whether an id can name a room at all. */
export function isUuid(id: string): boolean {
  return uuid.safeParse(id).success;
}
