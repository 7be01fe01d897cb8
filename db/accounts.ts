/** All that is stored about a user: to be taken along, and to be removed. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { DATABASE_TIME } from "./sessions.ts";
import { DELETED_PREFIX } from "./users.ts";

/** Messages read at once for an export. */
const PAGE = 1_000;

/** The name by which others see a user. */
export function shownName(username: string): string {
  return username.startsWith(DELETED_PREFIX) ? "deleted" : username;
}

export interface AccountRow {
  id: string;
  username: string;
  email: string | null;
  created_at: Date;
}

export async function findAccount(
  db: Database,
  userId: string,
): Promise<AccountRow> {
  return await db.selectFrom("users")
    .select(["id", "username", "email", "created_at"])
    .where("id", "=", userId).executeTakeFirstOrThrow();
}

/** The rooms a user is a member of or has made; `joined_at` is null where the user has left. */
export async function listAccountRooms(db: Database, userId: string) {
  return await db.selectFrom("rooms")
    .leftJoin(
      "memberships as own",
      (join) =>
        join.onRef("own.room_id", "=", "rooms.id")
          .on("own.user_id", "=", userId),
    )
    .select([
      "rooms.id",
      "rooms.name",
      "rooms.created_by",
      "rooms.created_at",
      "own.joined_at",
      "own.last_seen_at",
    ])
    .where((row) =>
      row.or([
        row("own.user_id", "is not", null),
        row("rooms.created_by", "=", userId),
      ])
    )
    .orderBy("rooms.created_at").orderBy("rooms.id").execute();
}

export interface AccountMessageRow {
  id: string;
  room_id: string;
  seq: number;
  text: string;
  created_at: Date;
}

/** Everything a user has written that is still stored and not deleted, room by room, a page at a time. */
export async function* accountMessages(
  db: Database,
  userId: string,
): AsyncGenerator<AccountMessageRow[]> {
  // In the order of the index on user, room and client id: each page begins where the last one ended.
  let after: { room_id: string; client_msg_id: string } | undefined;
  for (;;) {
    let query = db.selectFrom("messages")
      .select(["id", "room_id", "seq", "text", "created_at", "client_msg_id"])
      .where("user_id", "=", userId).where("deleted_at", "is", null);
    if (after !== undefined) {
      const { room_id, client_msg_id } = after;
      query = query.where(
        sql<
          boolean
        >`(room_id, client_msg_id) > (${room_id}::uuid, ${client_msg_id}::uuid)`,
      );
    }
    const rows = await query.orderBy("room_id").orderBy("client_msg_id")
      .limit(PAGE).execute();
    if (rows.length > 0) yield rows;
    after = rows.at(-1);
    if (after === undefined || rows.length < PAGE) return;
  }
}

/**
 * Removes a user: name, address, memberships, codes and sessions. The messages stay, and with them a
 * row without a name that they point to. The name is free from then on.
 *
 * @returns the rooms the user was a member of
 */
export async function deleteAccount(
  db: Database,
  userId: string,
  now: Date,
): Promise<string[]> {
  return await db.transaction().execute(async (inner) => {
    await inner.updateTable("users").set({
      username: `${DELETED_PREFIX}${userId}`,
      email: null,
      updated_at: now,
      // No token that is not tied to a session is good any more, whenever it was made.
      tokens_from: new Date("9999-12-31T00:00:00Z"),
    }).where("id", "=", userId).execute();
    await inner.deleteFrom("login_codes").where("user_id", "=", userId)
      .execute();
    // The rows stay for a day, so that other processes see that they have ended.
    await inner.updateTable("sessions")
      .set({ revoked_at: DATABASE_TIME, user_agent: "" })
      .where("user_id", "=", userId).execute();
    // In the order in which everybody locks several, see `storeReadMarkers`.
    await inner.selectFrom("memberships").select("room_id")
      .where("user_id", "=", userId).orderBy("room_id").forUpdate().execute();
    const left = await inner.deleteFrom("memberships")
      .where("user_id", "=", userId).returning("room_id").execute();
    return left.map((row) => row.room_id);
  });
}
