/** How many rooms a user may make and be in, counted by the statements that store them. */

import { type RawBuilder, sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { existingUser } from "./users.ts";

export interface RoomLimits {
  /** Rooms a user may make within an hour. */
  readonly roomsPerHour: number;
  /** Rooms a user may have made. */
  readonly maxRoomsPerUser: number;
  /** Rooms a user may be a member of. */
  readonly maxMembershipsPerUser: number;
}

/** Why a user may not make a room; after `retryAfterMs` milliseconds one may be made again. */
export type NewRoomRefusal = "too_many_rooms" | { retryAfterMs: number };

const HOUR_MS = 3_600_000;

/**
 * Stores a room or a membership of a user while nothing else that counts the user's rooms can.
 *
 * The row lock is a statement of its own: the next one sees everything that was committed before the
 * lock was given, while a statement that waits for a lock goes on seeing what was there before it waited.
 * The lock also keeps the account from being deleted in between.
 *
 * @returns what `store` returns, or `no_user`: the account was deleted
 */
export async function whileCounting<T>(
  db: Database,
  userId: string,
  store: (transaction: Database) => Promise<T>,
): Promise<T | "no_user"> {
  if (!db.isTransaction) {
    return await db.transaction().execute((transaction) =>
      whileCounting(transaction, userId, store)
    );
  }
  const user = await existingUser(db, userId).forNoKeyUpdate()
    .executeTakeFirst();
  return user === undefined ? "no_user" : await store(db);
}

/** Holds while the user may be in one more room. */
export function mayJoin(
  userId: string,
  limits: Pick<RoomLimits, "maxMembershipsPerUser">,
): RawBuilder<boolean> {
  return sql<boolean>`(select count(*) from memberships
    where user_id = ${userId}) < ${limits.maxMembershipsPerUser}`;
}

/** Holds while the user may make one more room at the moment `now`. */
export function mayMakeRoom(
  userId: string,
  limits: RoomLimits,
  now: Date,
): RawBuilder<boolean> {
  return sql<boolean>`${mayJoin(userId, limits)}
    and (select count(*) from rooms where created_by = ${userId})
      < ${limits.maxRoomsPerUser}
    and (select count(*) from rooms
      where created_by = ${userId} and created_at > ${hourBefore(now)})
      < ${limits.roomsPerHour}`;
}

/** What {@link mayMakeRoom} did not hold for. */
export async function whyNoRoom(
  db: Database,
  userId: string,
  limits: RoomLimits,
  now: Date,
): Promise<NewRoomRefusal> {
  const { rows } = await sql<{ made: number; lately: Date | null }>`
    select (select count(*) from rooms where created_by = ${userId}) as made,
      (select created_at from rooms
        where created_by = ${userId} and created_at > ${hourBefore(now)}
        order by created_at desc offset ${limits.roomsPerHour - 1} limit 1)
        as lately
    where ${mayJoin(userId, limits)}`.execute(db);
  const [counted] = rows;
  if (!counted?.lately || counted.made >= limits.maxRoomsPerUser) {
    return "too_many_rooms";
  }
  const wait = counted.lately.getTime() + HOUR_MS - now.getTime();
  // No longer than that, also when the clock was set back.
  return { retryAfterMs: Math.min(wait, HOUR_MS) };
}

function hourBefore(now: Date): Date {
  return new Date(now.getTime() - HOUR_MS);
}
