/** Whether a caller may look inside a room. */

import type { Database } from "../../db/engine/database.ts";
import { isMember, roomExists } from "../../db/memberships.ts";

/** Why the user may not look inside the room; undefined for a member. */
export async function refuseOutsider(
  db: Database,
  roomId: string,
  userId: string,
): Promise<"not_a_member" | "room_not_found" | undefined> {
  if (await isMember(db, roomId, userId)) return undefined;
  return await roomExists(db, roomId) ? "not_a_member" : "room_not_found";
}
