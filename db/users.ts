import type { Database } from "./database.ts";

export interface User {
  id: string;
  username: string;
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

export async function findUserById(
  db: Database,
  id: string,
): Promise<User | undefined> {
  return await db.selectFrom("users").select(["id", "username"])
    .where("id", "=", id).executeTakeFirst();
}
