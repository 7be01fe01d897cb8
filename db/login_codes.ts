import { sql } from "kysely";
import type { Database } from "./database.ts";

/** A code dies after this many tries, the right one included. */
export const MAX_CODE_TRIES = 5;

/** Stores a user's new code. The one before it, used or not, is void from then on. */
export async function replaceLoginCode(
  db: Database,
  code: {
    userId: string;
    codeHash: string;
    /** Where it is sent, when that is not known to be the user's yet. */
    email?: string | undefined;
    expiresAt: Date;
    now: Date;
  },
): Promise<void> {
  const fresh = {
    code_hash: code.codeHash,
    email: code.email ?? null,
    expires_at: code.expiresAt,
    attempts: 0,
    used_at: null,
    created_at: code.now,
  };
  await db.insertInto("login_codes")
    .values({ user_id: code.userId, ...fresh })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(fresh))
    .execute();
}

/**
 * Tries a code once: counts the try and, when it is the right one, uses it up. One statement, so of
 * several tries at the same moment the row lets them pass one by one and at most one wins.
 *
 * @returns the address the code proves, if any, when this try was the one that used the code
 */
export async function tryLoginCode(
  db: Database,
  code: { userId: string; codeHash: string; now: Date },
): Promise<{ email: string | null } | undefined> {
  const tried = await db.updateTable("login_codes")
    .set((row) => ({
      attempts: row("attempts", "+", 1),
      used_at: row.case().when("code_hash", "=", code.codeHash)
        .then(sql<Date>`${code.now}::timestamptz`).end(),
    }))
    .where("user_id", "=", code.userId)
    .where("used_at", "is", null)
    .where("expires_at", ">", code.now)
    .where("attempts", "<", MAX_CODE_TRIES)
    .returning(["used_at", "email"])
    .executeTakeFirst();
  return tried !== undefined && tried.used_at !== null
    ? { email: tried.email }
    : undefined;
}
