import { sql } from "kysely";
import { foldForSearch, nameKey } from "../text/fold.ts";
import type { Database } from "./engine/database.ts";
import { isUniqueViolation } from "./engine/errors.ts";
import {
  mayMakeRoom,
  type NewRoomRefusal,
  type RoomLimits,
  whileCounting,
  whyNoRoom,
} from "./room_limits.ts";

/** Messages are counted as unread up to so many. */
export const MAX_UNREAD = 100;

/** A room as one user sees it. The last four are null where the user is no member. */
export interface RoomRow {
  id: string;
  name: string;
  created_at: Date;
  creator_id: string;
  creator_username: string;
  last_seq: number;
  last_rev: number;
  last_activity_at: Date;
  member_count: number;
  joined_at: Date | null;
  last_seen_at: Date | null;
  /** `seq` of the newest message the user has read. */
  last_seen_seq: number | null;
  /** Messages of others that the user has not read and that are not deleted, at most {@link MAX_UNREAD}. */
  unread_count: number | null;
}

/** Where a page of rooms ended: the last room's sort key. */
export interface RoomCursor {
  lastActivityAt: Date;
  id: string;
}

/** Which part of a list of rooms is wanted. */
export interface RoomPage {
  /** Most rooms to return. */
  limit: number;
  /** Keeps the rooms whose name contains it, without regard to case and accents (`foldForSearch`). */
  query?: string | undefined;
  /** Where the page before ended. */
  after?: RoomCursor | undefined;
}

/** What came of creating a room. `no_user`: the creator's account was deleted. */
export type CreateRoomOutcome =
  | "created"
  | "name_taken"
  | "no_user"
  | NewRoomRefusal;

/** Creates a room with its creator as the first member. Unless it is `created` nothing is stored. */
export async function createRoom(
  db: Database,
  room: { id: string; name: string; createdBy: string; now: Date },
  limits: RoomLimits,
): Promise<CreateRoomOutcome> {
  const { id, name, createdBy, now } = room;
  try {
    return await whileCounting(db, createdBy, async (transaction) => {
      const { rows } = await sql`
        with made as (
          insert into rooms
            (id, name, name_key, search_key,
              created_by, created_at, last_activity_at)
          select ${id}::uuid, ${name}, ${nameKey(name)}, ${foldForSearch(name)},
            ${createdBy}::uuid, ${now}::timestamptz, ${now}::timestamptz
          where ${mayMakeRoom(createdBy, limits, now)}
          returning id, created_by, created_at
        )
        insert into memberships
          (room_id, user_id, joined_at, last_seen_at, last_seen_seq)
        select id, created_by, created_at, created_at, 0 from made
        returning room_id`.execute(transaction);
      return rows.length > 0
        ? "created"
        : await whyNoRoom(transaction, createdBy, limits, now);
    });
  } catch (error) {
    if (isUniqueViolation(error)) return "name_taken";
    throw error;
  }
}

/** The room as the user sees it, member or not. */
export async function findRoom(
  db: Database,
  roomId: string,
  userId: string,
): Promise<RoomRow | undefined> {
  return await roomsSeenBy(db, userId).where("rooms.id", "=", roomId)
    .executeTakeFirst();
}

/** A page of the rooms the user is a member of, most recently active first. */
export async function listUserRooms(
  db: Database,
  userId: string,
  page: RoomPage,
): Promise<RoomRow[]> {
  const own = roomsSeenBy(db, userId).where("own.user_id", "is not", null);
  return await pageOf(own, page).execute();
}

/** A page of all rooms, most recently active first. */
export async function listAllRooms(
  db: Database,
  userId: string,
  page: RoomPage,
): Promise<RoomRow[]> {
  return await pageOf(roomsSeenBy(db, userId), page).execute();
}

function pageOf(
  rooms: ReturnType<typeof roomsSeenBy>,
  { limit, query = "", after }: RoomPage,
) {
  const wanted = foldForSearch(query);
  if (wanted !== "") {
    rooms = rooms.where(
      sql<
        boolean
      >`strpos(coalesce(rooms.search_key, rooms.name_key), ${wanted}) > 0`,
    );
  }
  if (after !== undefined) {
    const { lastActivityAt, id } = after;
    rooms = rooms.where(
      sql<
        boolean
      >`(rooms.last_activity_at, rooms.id) < (${lastActivityAt}, ${id}::uuid)`,
    );
  }
  return rooms.orderBy("rooms.last_activity_at", "desc")
    .orderBy("rooms.id", "desc").limit(limit);
}

function roomsSeenBy(db: Database, userId: string) {
  return db.selectFrom("rooms")
    .innerJoin("users as creator", "creator.id", "rooms.created_by")
    .leftJoin(
      "memberships as own",
      (join) =>
        join.onRef("own.room_id", "=", "rooms.id").on(
          "own.user_id",
          "=",
          userId,
        ),
    )
    .select((row) => [
      "rooms.id",
      "rooms.name",
      "rooms.created_at",
      "creator.id as creator_id",
      "creator.username as creator_username",
      "rooms.last_seq",
      "rooms.last_rev",
      "rooms.last_activity_at",
      row.selectFrom("memberships").whereRef(
        "memberships.room_id",
        "=",
        "rooms.id",
      )
        .select((count) => count.fn.countAll<number>().as("members"))
        .$asScalar().$notNull()
        .as("member_count"),
      "own.joined_at",
      "own.last_seen_at",
      "own.last_seen_seq",
      sql<number | null>`case when own.user_id is not null then (
        select count(*) from (
          select from messages unread
          where unread.room_id = rooms.id and unread.seq > own.last_seen_seq
            and unread.user_id <> own.user_id and unread.deleted_at is null
          limit ${sql.lit(MAX_UNREAD)}
        ) counted
      ) end`.as("unread_count"),
    ]);
}

/** The newest `seq` and `rev` of each of these rooms. */
export async function newestSeqs(
  db: Database,
  roomIds: readonly string[],
): Promise<{ id: string; last_seq: number; last_rev: number }[]> {
  return await db.selectFrom("rooms").select(["id", "last_seq", "last_rev"])
    .where("id", "=", sql<string>`any(${roomIds}::uuid[])`).execute();
}
