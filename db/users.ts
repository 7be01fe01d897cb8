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

/** Where a user's codes go, and whether anybody has signed in under the name yet. */
export async function findMailAccount(
  db: Database,
  userId: string,
): Promise<{ email: string | undefined; isClaimed: boolean }> {
  const row = await db.selectFrom("users").select(["email", "signed_in_at"])
    .where("id", "=", userId).executeTakeFirst();
  return {
    email: row?.email ?? undefined,
    isClaimed: row !== undefined && row.signed_in_at !== null,
  };
}

/** Notes a user's first sign-in, and the address it has proven; later ones change nothing. */
export async function claimName(
  db: Database,
  claim: { userId: string; email: string | null; now: Date },
): Promise<void> {
  await db.updateTable("users")
    .set({ signed_in_at: claim.now, email: claim.email, updated_at: claim.now })
    .where("id", "=", claim.userId).where("signed_in_at", "is", null).execute();
}
