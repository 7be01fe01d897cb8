/** How a room looks from outside. */

import { shownName } from "../../db/accounts.ts";
import type { RoomRow } from "../../db/rooms.ts";
import type { Room } from "../../realtime/protocol/protocol.ts";

/** A room as its caller sees it; the row says whether the caller is a member. */
export function roomView(row: RoomRow): Room {
  const room: Room = {
    id: row.id,
    name: row.name,
    createdAt: row.created_at.toISOString(),
    createdBy: {
      id: row.creator_id,
      username: shownName(row.creator_username),
    },
    memberCount: row.member_count,
    isMember: row.joined_at !== null,
    lastSeq: row.last_seq,
  };
  if (row.joined_at !== null) room.joinedAt = row.joined_at.toISOString();
  if (row.last_seen_at !== null) {
    room.lastSeenAt = row.last_seen_at.toISOString();
  }
  if (row.last_seen_seq !== null) {
    room.unreadCount = Math.max(0, row.last_seq - row.last_seen_seq);
  }
  return room;
}
