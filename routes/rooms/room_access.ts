/** Whether a caller may do something in a room: their standing from the database, the rule from the policy. */

import type { Database } from "../../db/engine/database.ts";
import { isMember, roomExists } from "../../db/memberships.ts";
import {
  type Action,
  type Denial,
  denialOf,
  outsiderDenial,
} from "../../realtime/policy.ts";

/** Why the user may not do this in the room; undefined when they may. */
export async function findDenial(
  db: Database,
  action: Action,
  roomId: string,
  userId: string,
): Promise<Denial | undefined> {
  const standing = await isMember(db, roomId, userId)
    ? { roomExists: true, isMember: true }
    : { roomExists: await roomExists(db, roomId), isMember: false };
  return denialOf(action, standing);
}

/** Why a caller who is not a member is refused. */
export async function findOutsiderDenial(
  db: Database,
  roomId: string,
): Promise<Denial> {
  return outsiderDenial(await roomExists(db, roomId));
}
