import { type QueryCreator, type SelectQueryBuilder, sql } from "kysely";
import type { Database } from "./engine/database.ts";
import type { Schema } from "./schema.ts";

export interface User {
  id: string;
  username: string;
}

/** Begins the stored name of a deleted account. A user's name has no colon. */
export const DELETED_PREFIX = "deleted:";

/** In a statement over `users`: the account was not deleted. */
export const isNotDeleted = sql<
  boolean
>`users.username not like ${`${DELETED_PREFIX}%`}`;

/**
 * The id of a user whose account was not deleted, for statements that store rows of a user: selecting
 * from this in the same statement stores nothing for a deleted account. The row lock makes the statement
 * and `deleteAccount` wait for each other, so that the one that comes second sees what the first did.
 */
export function existingUser(
  query: QueryCreator<Schema>,
  userId: string,
): SelectQueryBuilder<Schema, "users", { id: string }> {
  return query.selectFrom("users").select("users.id")
    .where("users.id", "=", userId)
    .where(isNotDeleted)
    .forKeyShare();
}

/**
 * The user of this name, made when missing. Safe when two requests make the same user at once.
 *
 * @param user.id the id a new user gets
 * @param user.username already in lower case
 */
export async function findOrCreateUser(
  db: Database,
  user: User,
  now: Date,
): Promise<User> {
  const known = await findUserByName(db, user.username);
  if (known !== undefined) return known;
  await db.insertInto("users")
    .values({ ...user, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column("username").doNothing())
    .execute();
  return await db.selectFrom("users").select(["id", "username"])
    .where("username", "=", user.username).executeTakeFirstOrThrow();
}

/** @param username in lower case */
export async function findUserByName(
  db: Database,
  username: string,
): Promise<User | undefined> {
  return await db.selectFrom("users").select(["id", "username"])
    .where("username", "=", username).executeTakeFirst();
}
