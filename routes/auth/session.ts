/** Who is asking: the session of a request, from its bearer token or its cookie. */

import type { Context } from "hono";
import type { Database } from "../../db/engine/database.ts";
import { findTokenUser, touchSession } from "../../db/sessions.ts";
import type { Session } from "../../realtime/connection/session.ts";
import { USER_HEADER } from "../../realtime/protocol/handshake.ts";
import { verifySession } from "./access_tokens.ts";
import { readSessionCookie, SESSION_COOKIE } from "./session_cookie.ts";
import type { SessionKeys } from "./session_keys.ts";

/** A session's last use is written down when it is this much later, in milliseconds. */
const TOUCH_INTERVAL_MS = 300_000;

/** The token a request carries. A URL is no place for one: it ends up in logs and histories. */
export interface RequestToken {
  readonly token: string;
  readonly source: "bearer" | "cookie";
}

/**
 * Finds the session that a token stands for; undefined when the token, its session or its user is no
 * more. Nothing is remembered: the user is looked up anyway, and the same query sees the session, so
 * an end is seen at once, whichever process brought it about.
 */
export type SessionFinder = (token: string) => Promise<Session | undefined>;

export function createSessionFinder(
  { db, keys, clock }: { db: Database; keys: SessionKeys; clock: () => number },
): SessionFinder {
  return async (token) => {
    const now = clock();
    const claims = await verifySession(keys, token, now);
    if (claims === undefined) return undefined;
    const { userId, sessionId, issuedAt, expiresAt } = claims;
    const found = await findTokenUser(db, {
      userId,
      sessionId,
      issuedAt: new Date(issuedAt),
    }, new Date(now));
    if (found === undefined) return undefined;
    const { user, lastUsedAt } = found;
    if (
      sessionId !== undefined && lastUsedAt !== undefined &&
      now - lastUsedAt.getTime() >= TOUCH_INTERVAL_MS
    ) await touchSession(db, sessionId, new Date(now));
    return { user, sessionId, issuedAt, expiresAt };
  };
}

/** A bearer token wins over the cookie, also when it is a bad one: the caller meant it. */
export function requestToken(c: Context): RequestToken | undefined {
  const bearer = /^Bearer(?: +(.*))?$/i.exec(
    c.req.header("authorization") ?? "",
  );
  if (bearer !== null) return { token: bearer[1] ?? "", source: "bearer" };
  const cookie = readSessionCookie(c, SESSION_COOKIE);
  return cookie === undefined ? undefined : { token: cookie, source: "cookie" };
}

/** The session of a request, undefined without a valid one. */
export async function requestSession(
  c: Context,
  findSession: SessionFinder,
): Promise<Session | undefined> {
  const carried = requestToken(c);
  return carried && await findSession(carried.token);
}

/**
 * Whether a request comes from a page that was rendered for another user than its session's:
 * another user has signed in in this browser since. A request that names no user comes from no page.
 */
export function isOtherUser(c: Context, userId: string): boolean {
  const pageUser = c.req.header(USER_HEADER);
  return pageUser !== undefined && pageUser !== userId;
}
