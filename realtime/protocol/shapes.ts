/**
 * What several features, the REST API and both documents share: ids, times, a user. A shape with an
 * `id` in its metadata is a named schema of the documents.
 */

import { z } from "zod";
import { EXAMPLE } from "./examples.ts";

/** A UUID that a client made, in lower case as the database writes it. */
export const ClientUuid = z.guid().toLowerCase();

/**
 * The id of a room as a client sends it. Any short text is let through: one that is no UUID names no
 * room, which is answered like any other unknown room.
 */
export const RoomIdInput = z.string().min(1).max(64).toLowerCase()
  .describe("Id of a room");

/** Whether an id can name a room at all. */
export function isUuid(id: string): boolean {
  return ClientUuid.safeParse(id).success;
}

/** A message of a room as a client names it. Ids that name nothing are answered so, not as bad input. */
export const MessageTarget = z.object({
  roomId: RoomIdInput,
  messageId: z.string().min(1).max(64).toLowerCase().describe(
    "Id of a message of the room",
  ),
});

/** Number of a message within its room; 0 stands before the first one. */
export const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Names the history that the database has: a restored backup has another one. */
export const Epoch = z.uuid().meta({
  description:
    "names the server's history; another one means that what is held may not be in it",
  example: EXAMPLE.epoch,
});

/** A time as the server writes it. */
export const Time = z.iso.datetime({ precision: 3 }).meta({
  description: "ISO 8601, UTC, with milliseconds",
  example: EXAMPLE.time,
});

export const RoomId = z.uuid().meta({ example: EXAMPLE.roomId });

/** A user, wherever one is named. */
export const UserRef = z.object({
  id: z.uuid().meta({ example: EXAMPLE.user.id }),
  username: z.string().meta({ example: EXAMPLE.user.username }),
}).meta({ id: "User" });

export type UserRef = z.infer<typeof UserRef>;
