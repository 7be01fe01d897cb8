/** Whether a caller may do something in a room: their standing from the database, the rule from the policy. */

import type { Database } from "../../db/engine/database.ts";
import { findStanding, roomExists } from "../../db/memberships.ts";
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
  return denialOf(action, await findStanding(db, roomId, userId));
}

/** Why a caller who is not a member is refused. */
export async function findOutsiderDenial(
  db: Database,
  roomId: string,
): Promise<ReturnType<typeof outsiderDenial>> {
  return outsiderDenial(await roomExists(db, roomId));
}
