import type { MemberRoom } from "../../db/memberships.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionRegistry } from "../connection/registry.ts";
import { isUuid } from "../protocol/shapes.ts";
import type { ReadMarkers } from "./read_markers.ts";

export interface MarkReadParts {
  connections: ConnectionRegistry;
  readMarkers: ReadMarkers;
  memberRooms: (userId: string, roomIds: string[]) => Promise<MemberRoom[]>;
}

/**
 * Marks a room as read up to a `seq`, at most its newest message, and sends it to the user's connections.
 *
 * @param source the socket that knows already
 * @returns the `seq` that is marked; undefined when the user is no member of the room
 */
export async function markRead(
  { connections, readMarkers, memberRooms }: MarkReadParts,
  userId: string,
  roomId: string,
  lastSeq: number,
  source?: Connection,
): Promise<number | undefined> {
  const [room] = isUuid(roomId) ? await memberRooms(userId, [roomId]) : [];
  if (room === undefined) return undefined;
  const seq = Math.min(lastSeq, room.last_seq);
  readMarkers.mark(userId, roomId, seq);
  connections.sendToUser(
    userId,
    { event: "room:read", data: { roomId, lastSeq: seq } },
    source,
  );
  return seq;
}
