import { MAX_ROSTER_USERS } from "../protocol/limits.ts";
import type { RoomRoster, RosterUser } from "../protocol/protocol.ts";

/** A room's members, username by id, split by presence. */
export interface MembersByPresence {
  readonly online: ReadonlyMap<string, string>;
  readonly offline: ReadonlyMap<string, string>;
}

/** A room's members as clients get them: the first ones, online before offline. */
export function rosterView(
  roomId: string,
  { online, offline }: MembersByPresence,
): RoomRoster {
  const first = listed(online, "online", MAX_ROSTER_USERS);
  const rest = listed(offline, "offline", MAX_ROSTER_USERS - first.length);
  return {
    roomId,
    users: [...first, ...rest],
    onlineCount: online.size,
    memberCount: online.size + offline.size,
  };
}

/** The first of them, ordered by name. */
function listed(
  users: ReadonlyMap<string, string>,
  status: RosterUser["status"],
  most: number,
): RosterUser[] {
  const list: RosterUser[] = [];
  for (const [id, username] of users) {
    if (list.length >= most) break;
    list.push({ id, username, status });
  }
  return list.sort((a, b) => a.username < b.username ? -1 : 1);
}
