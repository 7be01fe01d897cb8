/** Makes rows for tests of the queries and of what builds on them. */

import type { Database } from "../../db/engine/database.ts";
import { addMember } from "../../db/memberships.ts";
import { changeMessages, type MessageChange } from "../../db/changes.ts";
import type { NewMessage } from "../../db/messages.ts";
import { createRoom } from "../../db/rooms.ts";
import { findOrCreateUser, type User } from "../../db/users.ts";
import {
  type ChangeOutcome,
  decideChanges,
} from "../../realtime/changes/decide_changes.ts";

/** Limits on rooms that no test reaches by chance. */
export const NO_LIMITS = {
  roomsPerHour: 1_000_000,
  maxRoomsPerUser: 1_000_000,
  maxMembershipsPerUser: 1_000_000,
};

/** A moment to start tests at; its milliseconds are not round. */
export const NOON = new Date("2026-03-01T12:00:00.123Z");

/** @returns the moment this many milliseconds after {@link NOON} */
export function after(milliseconds: number): Date {
  return new Date(NOON.getTime() + milliseconds);
}

let made = 0;

/** A user whose name no other test has. */
export async function makeUser(db: Database, name = "user"): Promise<User> {
  const username = `${name}_${(made++).toString(36)}`;
  return await findOrCreateUser(
    db,
    { id: crypto.randomUUID(), username },
    NOON,
  );
}

/** A room of the first user, which the others have joined. */
export async function makeRoom(
  db: Database,
  creator: User,
  ...others: User[]
): Promise<string> {
  const id = crypto.randomUUID();
  const name = `Room ${made++}`;
  const room = { id, name, createdBy: creator.id, now: NOON };
  await createRoom(db, room, NO_LIMITS);
  for (const { id: userId } of others) {
    await addMember(db, { roomId: id, userId, now: NOON }, NO_LIMITS);
  }
  return id;
}

/** Changes messages as the server does, by who may do what. @returns what came of each */
export async function applyChanges(
  db: Database,
  changes: readonly MessageChange[],
  now = NOON,
): Promise<ChangeOutcome[]> {
  const { decision } = await changeMessages(
    db,
    changes,
    (targets) => decideChanges(changes, targets, now),
    now,
  );
  return decision.outcomes;
}

/** A message that is not stored yet. */
export function newMessage(
  roomId: string,
  userId: string,
  text = "hello",
): NewMessage {
  const id = crypto.randomUUID();
  return { id, roomId, userId, text, clientMsgId: crypto.randomUUID() };
}
