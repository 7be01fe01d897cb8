import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { isNotDeleted, type User } from "./users.ts";

/** A code dies after this many tries, the right one included. */
export const MAX_CODE_TRIES = 5;

/** The address of an account, and whether the name was signed in under. */
export async function findMailAccount(
  db: Database,
  userId: string,
): Promise<{ own: string | undefined; isClaimed: boolean }> {
  const row = await db.selectFrom("users").select(["email", "signed_in_at"])
    .where("id", "=", userId).executeTakeFirst();
  return {
    own: row?.email ?? undefined,
    isClaimed: row !== undefined && row.signed_in_at !== null,
  };
}

/** Where a new code is to be mailed. */
export interface CodeAddress {
  /** The account's address, which an earlier code has proven or the operator has set. */
  readonly own: string | null;
  /** The address that this code will prove; null unless the name is unclaimed. */
  readonly claimed: string | null;
}

/**
 * Stores a user's new code and voids the one before, used or not. Whether the name can still be claimed
 * with an address is decided in the same statement, under a lock that {@link tryLoginCode} takes too.
 *
 * @param code.isSent false when the code is not delivered: it is void then, and one from before stays.
 *   The statement does the same work, so that its time does not tell
 * @returns where the code goes; undefined when the user does not exist any more
 */
export async function replaceLoginCode(
  db: Database,
  code: {
    userId: string;
    codeHash: string;
    /** Where to send it while the name is unclaimed; ignored later. */
    email?: string | undefined;
    isSent?: boolean;
    expiresAt: Date;
    now: Date;
  },
): Promise<CodeAddress | undefined> {
  const { isSent = true } = code;
  const { rows: [address] } = await sql<CodeAddress>`
    with account as (
      select id, email, signed_in_at from users
      where id = ${code.userId} and ${isNotDeleted} for share
    ), stored as (
      insert into login_codes (user_id, code_hash, email, expires_at, attempts, used_at, created_at)
      select id, ${code.codeHash}::text,
        case when signed_in_at is null and email is null then ${
    code.email ?? null
  }::text end,
        ${isSent ? code.expiresAt : code.now}::timestamptz, 0, null,
        ${code.now}::timestamptz
      from account
      on conflict (user_id) do update set code_hash = excluded.code_hash, email = excluded.email,
        expires_at = excluded.expires_at, attempts = 0, used_at = null, created_at = excluded.created_at
        where ${isSent}
      returning email
    )
    select account.email as own, stored.email as claimed from account left join stored on true
  `.execute(db);
  return address;
}

/** Whether this is the user's newest code and can still be used. */
export async function isLoginCodeGood(
  db: Database,
  code: { userId: string; codeHash: string; now: Date },
): Promise<boolean> {
  const row = await db.selectFrom("login_codes").select("user_id")
    .where("user_id", "=", code.userId).where("code_hash", "=", code.codeHash)
    .where("used_at", "is", null).where("expires_at", ">", code.now)
    .where("attempts", "<", MAX_CODE_TRIES).executeTakeFirst();
  return row !== undefined;
}

/**
 * Tries a code once: counts the try and, when it is the right one, uses it up and notes the user's
 * first sign-in with the address that it proves. One statement under the locks of both rows: of several
 * tries at the same moment at most one wins, and a code that carries an address wins only while the name
 * is unclaimed or the address is the account's.
 *
 * @returns the user, when this try was the one that used the code
 */
export async function tryLoginCode(
  db: Database,
  code: { userId: string; codeHash: string; now: Date },
): Promise<User | undefined> {
  const now = sql<Date>`${code.now}::timestamptz`;
  const { rows: [user] } = await sql<User>`
    with account as (
      select id, username, email, signed_in_at from users
      where id = ${code.userId} and ${isNotDeleted} for no key update
    ), tried as (
      update login_codes c set attempts = c.attempts + 1, used_at = case
        when c.code_hash = ${code.codeHash} and (c.email is null or c.email = a.email
          or (a.email is null and a.signed_in_at is null)) then ${now} end
      from account a
      where c.user_id = a.id and c.used_at is null and c.expires_at > ${now}
        and c.attempts < ${MAX_CODE_TRIES}
      returning c.user_id, c.used_at, c.email
    ), claimed as (
      update users u set signed_in_at = ${now}, updated_at = ${now}, email = coalesce(u.email, t.email)
      from tried t
      where u.id = t.user_id and t.used_at is not null and u.signed_in_at is null
    )
    select a.id, a.username from account a join tried t on t.user_id = a.id
    where t.used_at is not null
  `.execute(db);
  return user;
}
