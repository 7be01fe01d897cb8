import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { mayJoin, type RoomLimits, whileCounting } from "./room_limits.ts";

export interface MemberRow {
  id: string;
  username: string;
  joined_at: Date;
}

/** A room the user is a member of, with the `seq` of its newest message and the `rev` of its newest change. */
export interface MemberRoom {
  room_id: string;
  last_seq: number;
  last_rev: number;
}

/** How far a member has read. */
export interface ReadMarker {
  roomId: string;
  userId: string;
  seq: number;
  at: Date;
}

/** What came of joining a room. `no_user`: the account was deleted. */
export type JoinOutcome =
  | "joined"
  | "already"
  | "no_room"
  | "no_user"
  | "too_many_rooms";

/**
 * Makes the user a member. What was written before counts as seen.
 *
 * @param limits.maxMembershipsPerUser rooms the user may be in, this one included
 */
export async function addMember(
  db: Database,
  member: { roomId: string; userId: string; now: Date },
  limits: Pick<RoomLimits, "maxMembershipsPerUser">,
): Promise<JoinOutcome> {
  const { roomId, userId, now } = member;
  return await whileCounting(db, userId, async (transaction) => {
    const { rows } = await sql`
      insert into memberships
        (room_id, user_id, joined_at, last_seen_at, last_seen_seq)
      select id, ${userId}::uuid, ${now}::timestamptz, ${now}::timestamptz,
        last_seq
      from rooms where id = ${roomId} and ${mayJoin(userId, limits)}
      on conflict (room_id, user_id) do nothing
      returning room_id`.execute(transaction);
    if (rows.length > 0) return "joined";
    if (await isMember(transaction, roomId, userId)) return "already";
    return await roomExists(transaction, roomId) ? "too_many_rooms" : "no_room";
  });
}

/** @returns whether there was a membership to end */
export async function removeMember(
  db: Database,
  roomId: string,
  userId: string,
): Promise<boolean> {
  const removed = await db.deleteFrom("memberships")
    .where("room_id", "=", roomId).where("user_id", "=", userId)
    .returning("room_id").executeTakeFirst();
  return removed !== undefined;
}

export async function roomExists(
  db: Database,
  roomId: string,
): Promise<boolean> {
  return await db.selectFrom("rooms").select("id").where("id", "=", roomId)
    .executeTakeFirst() !== undefined;
}

export async function isMember(
  db: Database,
  roomId: string,
  userId: string,
): Promise<boolean> {
  return await db.selectFrom("memberships").select("room_id")
    .where("room_id", "=", roomId).where("user_id", "=", userId)
    .executeTakeFirst() !== undefined;
}

/** What a user is to a room (`Standing` of `realtime/policy.ts`), and the `rev` of its newest change. */
export interface RoomStanding {
  roomExists: boolean;
  isMember: boolean;
  isModerator: boolean;
  lastRev: number;
}

export async function findStanding(
  db: Database,
  roomId: string,
  userId: string,
): Promise<RoomStanding> {
  const room = await db.selectFrom("rooms").leftJoin(
    "memberships as own",
    (join) =>
      join.onRef("own.room_id", "=", "rooms.id")
        .on("own.user_id", "=", userId),
  ).select(["created_by", "last_rev", "own.user_id as member_id"])
    .where("rooms.id", "=", roomId).executeTakeFirst();
  return {
    roomExists: room !== undefined,
    isMember: room !== undefined && room.member_id !== null,
    isModerator: room?.created_by === userId,
    lastRev: room?.last_rev ?? 0,
  };
}

/**
 * A page of a room's members, by username.
 *
 * @param page.limit most members to return
 * @param page.after username where the page before ended; it need not exist
 */
export async function pageMembers(
  db: Database,
  roomId: string,
  page: { limit: number; after?: string | undefined },
): Promise<MemberRow[]> {
  let members = membersOf(db, roomId);
  if (page.after !== undefined) {
    members = members.where("users.username", ">", page.after);
  }
  return await members.orderBy("username").limit(page.limit).execute();
}

/** Everyone in the room, by name. */
export async function listMembers(
  db: Database,
  roomId: string,
): Promise<MemberRow[]> {
  return await membersOf(db, roomId).orderBy("username").execute();
}

function membersOf(db: Database, roomId: string) {
  return db.selectFrom("memberships")
    .innerJoin("users", "users.id", "memberships.user_id")
    .where("room_id", "=", roomId)
    .select(["users.id", "users.username", "joined_at"]);
}

/** Of these rooms, those the user is a member of. */
export async function memberRoomsAmong(
  db: Database,
  userId: string,
  roomIds: string[],
): Promise<MemberRoom[]> {
  return await db.selectFrom("memberships")
    .innerJoin("rooms", "rooms.id", "memberships.room_id")
    .where("user_id", "=", userId)
    .where("room_id", "=", sql<string>`any(${roomIds}::uuid[])`)
    .select(["room_id", "last_seq", "last_rev"]).execute();
}

/** A user in a room. */
export interface MembershipKey {
  userId: string;
  roomId: string;
}

/** Of these memberships, those that do not exist. */
export async function missingMemberships(
  db: Database,
  keys: readonly MembershipKey[],
): Promise<MembershipKey[]> {
  const { rows } = await sql<MembershipKey>`
    select k.* from json_to_recordset(${JSON.stringify(keys)}::json)
      as k("userId" uuid, "roomId" uuid)
    where not exists (
      select from memberships m where m.room_id = k."roomId" and m.user_id = k."userId"
    )`.execute(db);
  return rows;
}

/**
 * Moves members' reading positions forward, never back; those who left are passed over.
 *
 * A statement that changes several memberships locks them in the order of room and user first: otherwise two
 * processes wait for each other until PostgreSQL ends one of them.
 */
export async function storeReadMarkers(
  db: Database,
  marks: readonly ReadMarker[],
): Promise<void> {
  if (marks.length === 0) return;
  await sql`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(marks)}::json)
        as g("roomId" uuid, "userId" uuid, seq bigint, at timestamptz)
    ), locked as materialized (
      select member.room_id, member.user_id, o.seq, o.at
      from (select * from given order by "roomId", "userId") o
      cross join lateral (
        select room_id, user_id from memberships m
        where m.room_id = o."roomId" and m.user_id = o."userId" for no key update
      ) member
    )
    update memberships as m
    set last_seen_seq = s.seq, last_seen_at = greatest(m.last_seen_at, s.at)
    from locked s
    where m.room_id = s.room_id and m.user_id = s.user_id and m.last_seen_seq < s.seq
  `.execute(db);
}
