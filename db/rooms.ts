import { sql } from "kysely";
import type { Database } from "./database.ts";
import { isUniqueViolation } from "./errors.ts";

/** A room as one user sees it. The last three are null where the user is no member. */
export interface RoomRow {
  id: string;
  name: string;
  created_at: Date;
  creator_id: string;
  creator_username: string;
  last_seq: number;
  last_activity_at: Date;
  member_count: number;
  joined_at: Date | null;
  last_seen_at: Date | null;
  last_seen_seq: number | null;
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
  /** Keeps the rooms whose name contains it, to the letter but for case. */
  query?: string | undefined;
  /** Where the page before ended. */
  after?: RoomCursor | undefined;
}

/**
 * The form in which names are compared: without regard to case, to joiners that show nothing, and to
 * what only one language tells apart (ß and ss, ς and σ, the i with and without its dot).
 */
export function roomNameKey(name: string): string {
  return name.normalize("NFKC").toUpperCase().toLowerCase()
    .replaceAll("i\u0307", "i").replaceAll("ς", "σ")
    .replace(/[\u200c\u200d]/g, "");
}

/**
 * Makes a room with its creator as the first member.
 *
 * @returns false when the name is taken; nothing is stored then
 */
export async function createRoom(
  db: Database,
  room: { id: string; name: string; createdBy: string; now: Date },
): Promise<boolean> {
  try {
    await db.transaction().execute(async (transaction) => {
      await transaction.insertInto("rooms").values({
        id: room.id,
        name: room.name,
        name_key: roomNameKey(room.name),
        created_by: room.createdBy,
        created_at: room.now,
        last_activity_at: room.now,
      }).execute();
      await transaction.insertInto("memberships").values({
        room_id: room.id,
        user_id: room.createdBy,
        joined_at: room.now,
        last_seen_at: room.now,
        last_seen_seq: 0,
      }).execute();
    });
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
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
  { limit, query, after }: RoomPage,
) {
  if (query !== undefined && query !== "") {
    rooms = rooms.where(
      sql<boolean>`strpos(rooms.name_key, ${roomNameKey(query)}) > 0`,
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
    ]);
}

/** The newest `seq` of each of these rooms. */
export async function newestSeqs(
  db: Database,
  roomIds: readonly string[],
): Promise<{ id: string; last_seq: number }[]> {
  return await db.selectFrom("rooms").select(["id", "last_seq"])
    .where("id", "=", sql<string>`any(${roomIds}::uuid[])`).execute();
}
