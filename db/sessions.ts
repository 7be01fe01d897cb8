/** Sessions: one row per sign-in, which outlives its tokens and ends them all. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { existingUser, type User } from "./users.ts";

/** Ended sessions stay in the table this long, in milliseconds, so that every process can see their end. */
const KEEP_ENDED_MS = 86_400_000;

/** A user's live sessions; one more ends the one that was used longest ago. */
const MAX_SESSIONS_PER_USER = 100;

/** When a session has ended is looked for by other processes, whose clocks differ: it has the database's time. */
export const DATABASE_TIME = sql<Date>`now()`;

export interface NewSession {
  id: string;
  userId: string;
  refreshHash: string;
  userAgent: string;
  now: Date;
  expiresAt: Date;
}

/** A session as its user sees it. */
export interface SessionRow {
  id: string;
  user_agent: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
}

/**
 * Stores a session, and deletes the user's that ended long ago.
 *
 * @returns false when the user's account was deleted; nothing is stored then
 */
export async function createSession(
  db: Database,
  session: NewSession,
): Promise<boolean> {
  const ended = new Date(session.now.getTime() - KEEP_ENDED_MS);
  const stored = await db
    .with("owner", (query) => existingUser(query, session.userId))
    .insertInto("sessions")
    .columns([
      "id",
      "user_id",
      "refresh_hash",
      "user_agent",
      "created_at",
      "last_used_at",
      "expires_at",
    ])
    .expression((query) =>
      query.selectFrom("owner").select([
        sql<string>`${session.id}::uuid`.as("id"),
        "owner.id as user_id",
        sql<string>`${session.refreshHash}::text`.as("refresh_hash"),
        sql<string>`${session.userAgent}::text`.as("user_agent"),
        sql<Date>`${session.now}::timestamptz`.as("created_at"),
        sql<Date>`${session.now}::timestamptz`.as("last_used_at"),
        sql<Date>`${session.expiresAt}::timestamptz`.as("expires_at"),
      ])
    )
    .returning("id").executeTakeFirst();
  if (stored === undefined) return false;
  await db.deleteFrom("sessions").where("user_id", "=", session.userId)
    .where((row) =>
      row.or([row("expires_at", "<", ended), row("revoked_at", "<", ended)])
    ).execute();
  await db.updateTable("sessions").set({ revoked_at: DATABASE_TIME })
    .where(
      "id",
      "in",
      db.selectFrom("sessions").select("id")
        .where("user_id", "=", session.userId).where("revoked_at", "is", null)
        .orderBy("last_used_at", "desc").orderBy("created_at", "desc")
        .offset(MAX_SESSIONS_PER_USER),
    ).execute();
  return true;
}

/**
 * The user a token stands for, and when the token's session was last used; undefined when the user,
 * the session or its life has ended.
 *
 * @param token.sessionId undefined for a token that was signed elsewhere: it has no session to end
 */
export async function findTokenUser(
  db: Database,
  token: {
    userId: string;
    sessionId: string | undefined;
    issuedAt: Date;
  },
  now: Date,
): Promise<{ user: User; lastUsedAt: Date | undefined } | undefined> {
  const { userId, sessionId, issuedAt } = token;
  if (sessionId === undefined) {
    const row = await db.selectFrom("users")
      .select(["id", "username", "tokens_from"])
      .where("id", "=", userId).executeTakeFirst();
    if (row === undefined) return undefined;
    const { id, username, tokens_from: from } = row;
    if (from !== null && issuedAt < from) {
      return undefined;
    }
    return { user: { id, username }, lastUsedAt: undefined };
  }
  const row = await db.selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .select(["users.id", "users.username", "sessions.last_used_at"])
    .where("sessions.id", "=", sessionId).where("users.id", "=", userId)
    .where("sessions.revoked_at", "is", null)
    .where("sessions.expires_at", ">", now)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, username, last_used_at: lastUsedAt } = row;
  return { user: { id, username }, lastUsedAt };
}

/** The id of the user whose session this is, also after its end; undefined when there is none. */
export async function findSessionUserId(
  db: Database,
  id: string,
): Promise<string | undefined> {
  const row = await db.selectFrom("sessions").select("user_id")
    .where("id", "=", id).executeTakeFirst();
  return row?.user_id;
}

/** Notes that a session is in use. */
export async function touchSession(
  db: Database,
  id: string,
  now: Date,
): Promise<void> {
  await db.updateTable("sessions").set({ last_used_at: now })
    .where("id", "=", id).execute();
}

/** A refresh token that comes again this soon gets the same successor once more, in milliseconds. */
const REFRESH_GRACE_MS = 10_000;

/**
 * Trades a refresh token for its successor. The same trade again changes nothing and succeeds for
 * {@link REFRESH_GRACE_MS}: two tabs asked at once, or an answer was lost. One statement, in which the
 * row lets requests with the same token pass one by one.
 *
 * @returns the session's user; undefined when the token was traded earlier or the session has ended
 */
export async function rotateRefresh(
  db: Database,
  rotation: {
    id: string;
    oldHash: string;
    newHash: string;
    now: Date;
    expiresAt: Date;
  },
): Promise<User | undefined> {
  const { oldHash, newHash, now } = rotation;
  const graceFrom = new Date(now.getTime() - REFRESH_GRACE_MS);
  const row = await db.updateTable("sessions").from("users")
    .set((session) => ({
      refresh_hash: newHash,
      refreshed_at: session.case().when("refresh_hash", "=", oldHash)
        .then(sql<Date>`${now}::timestamptz`)
        .else(session.ref("refreshed_at")).end(),
      last_used_at: now,
      expires_at: rotation.expiresAt,
    }))
    .where("sessions.id", "=", rotation.id)
    .whereRef("users.id", "=", "sessions.user_id")
    .where((session) =>
      session.or([
        session("refresh_hash", "=", oldHash),
        session.and([
          session("refresh_hash", "=", newHash),
          session("refreshed_at", ">", graceFrom),
        ]),
      ])
    )
    .where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .returning(["users.id", "users.username"])
    .executeTakeFirst();
  return row;
}

/** Ends one session. @returns whether it was alive */
export async function revokeSession(
  db: Database,
  id: string,
  now: Date,
  userId?: string,
): Promise<string | undefined> {
  const row = await db.updateTable("sessions").set({
    revoked_at: DATABASE_TIME,
  })
    .where("id", "=", id).where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .$if(userId !== undefined, (query) => query.where("user_id", "=", userId!))
    .returning("user_id").executeTakeFirst();
  return row?.user_id;
}

/** Ends all sessions of a user, and every token of theirs that has none. */
export async function revokeUserSessions(
  db: Database,
  userId: string,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (inner) => {
    await inner.updateTable("users").set({ tokens_from: now })
      .where("id", "=", userId).execute();
    await inner.updateTable("sessions").set({ revoked_at: DATABASE_TIME })
      .where("user_id", "=", userId).where("revoked_at", "is", null).execute();
  });
}

/**
 * Ends every session of every user, tokens without a session and login codes included: after a restore
 * what was signed out since the backup must not be good again.
 */
export async function endEverySession(db: Database): Promise<void> {
  await sql`delete from sessions`.execute(db);
  await sql`delete from login_codes`.execute(db);
  await sql`update users set tokens_from = greatest(tokens_from, now())`
    .execute(db);
}

/** A user's live sessions, the one used last first. */
export async function listSessions(
  db: Database,
  userId: string,
  now: Date,
): Promise<SessionRow[]> {
  return await db.selectFrom("sessions")
    .select(["id", "user_agent", "created_at", "last_used_at", "expires_at"])
    .where("user_id", "=", userId).where("revoked_at", "is", null)
    .where("expires_at", ">", now)
    .orderBy("last_used_at", "desc").orderBy(sql`id`).execute();
}

/** From which moment on a user's tokens count that belong to no session. */
export interface TokensFrom {
  userId: string;
  from: Date;
}

/** Of these users, those who have signed out everywhere, or are gone: all their older tokens are void. */
export async function listTokensFrom(
  db: Database,
  userIds: readonly string[],
): Promise<TokensFrom[]> {
  const rows = await db.selectFrom("users").select(["id", "tokens_from"])
    .where("id", "=", sql<string>`any(${userIds}::uuid[])`)
    .where("tokens_from", "is not", null).execute();
  return rows.map((row) => ({ userId: row.id, from: row.tokens_from! }));
}

/** Sessions that were ended, by whichever process, in the last so many milliseconds of the database's time. */
export async function listRevokedWithin(
  db: Database,
  milliseconds: number,
): Promise<string[]> {
  const rows = await db.selectFrom("sessions").select("id")
    .where(
      "revoked_at",
      ">=",
      sql<Date>`${DATABASE_TIME} - ${milliseconds} * interval '1 millisecond'`,
    ).execute();
  return rows.map((row) => row.id);
}
