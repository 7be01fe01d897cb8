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

/** Number of a message within its room; 0 stands before the first one. */
export const Seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

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
