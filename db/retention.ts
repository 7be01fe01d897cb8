/** What is removed when its time is over. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";

/** Ended sessions stay this long, in milliseconds: every process has to see their end. */
const KEEP_ENDED_SESSIONS_MS = 86_400_000;

/**
 * Removes a room's oldest messages, of all rooms, a bounded number at once. What stays of a room is
 * its newest messages without a gap; their numbers do not change. What is gone counts as read.
 *
 * @returns how many were removed; less than `limit` when nothing older is left
 */
export async function removeOldMessages(
  db: Database,
  before: Date,
  limit: number,
): Promise<number> {
  // Within a room `created_at` never decreases with `seq`, so its oldest are its lowest numbers.
  const { rows: [row] } = await sql<{ removed: number }>`
    with old as (
      select m.room_id, m.seq from rooms r cross join lateral (
        select room_id, seq from messages where room_id = r.id and created_at < ${before}
        order by created_at, seq limit ${limit}
      ) m limit ${limit}
    ), removed as (
      delete from messages m using old where m.room_id = old.room_id and m.seq = old.seq
      returning m.room_id, m.seq
    ), unread as materialized (
      select m.room_id, m.user_id, last.seq
      from (select room_id, max(seq) as seq from removed group by room_id) last
      join memberships m on m.room_id = last.room_id and m.last_seen_seq < last.seq
      order by m.room_id, m.user_id for no key update of m
    ), marked as (
      update memberships m set last_seen_seq = unread.seq from unread
      where m.room_id = unread.room_id and m.user_id = unread.user_id
        and m.last_seen_seq < unread.seq
    )
    select count(*) as removed from removed
  `.execute(db);
  return row!.removed;
}

/** Deletes login codes that expired before that moment. */
export async function removeExpiredLoginCodes(
  db: Database,
  before: Date,
): Promise<void> {
  await db.deleteFrom("login_codes").where("expires_at", "<=", before)
    .execute();
}

/**
 * Deletes users whose last login code was made before that moment and who never signed in: anybody makes
 * such rows by asking for a code. Users whom the operator gave an address or who have used a token of
 * another program stay.
 *
 * @returns how many were deleted; less than `limit` when no other is left
 */
export async function removeUnusedNames(
  db: Database,
  before: Date,
  limit: number,
): Promise<number> {
  // The rows are locked, so that none is deleted whose first sign-in is on its way.
  const { rows: [row] } = await sql<{ removed: number }>`
    with unused as (
      select u.id from users u join login_codes c on c.user_id = u.id
      where u.signed_in_at is null and u.email is null and u.created_at < ${before}
        and c.created_at < ${before}
        and not exists (select from memberships m where m.user_id = u.id)
        and not exists (select from rooms r where r.created_by = u.id)
        and not exists (select from messages m where m.user_id = u.id)
      order by u.created_at limit ${limit} for update skip locked
    ), removed as (
      delete from users u using unused where u.id = unused.id returning u.id
    )
    select count(*) as removed from removed
  `.execute(db);
  return row!.removed;
}

/** Removes sessions that have long ended. */
export async function removeEndedSessions(
  db: Database,
  now: Date,
): Promise<void> {
  const ended = new Date(now.getTime() - KEEP_ENDED_SESSIONS_MS);
  await db.deleteFrom("sessions").where((row) =>
    row.or([row("expires_at", "<", ended), row("revoked_at", "<", ended)])
  ).execute();
}
