/** How a room looks from outside. */

import { shownName } from "../../db/accounts.ts";
import type { RoomRow } from "../../db/rooms.ts";
import type { Room } from "../../realtime/protocol/protocol.ts";

/**
 * A room as its caller sees it; the row says whether the caller is a member.
 *
 * @param epoch names the history that the database has
 */
export function roomView(row: RoomRow, epoch: string): Room {
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
    lastRev: row.last_rev,
    epoch,
  };
  if (row.joined_at !== null) room.joinedAt = row.joined_at.toISOString();
  if (row.last_seen_at !== null) {
    room.lastSeenAt = row.last_seen_at.toISOString();
  }
  if (row.last_seen_seq !== null) room.lastReadSeq = row.last_seen_seq;
  if (row.unread_count !== null) room.unreadCount = row.unread_count;
  return room;
}
