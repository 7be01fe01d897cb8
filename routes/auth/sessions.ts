/** Sessions and their tokens: the rules, for the API and for the plain forms alike. */

import type { Config } from "../../config.ts";
import type { Database } from "../../db/engine/database.ts";
import {
  createSession,
  findSessionUserId,
  revokeSession,
  revokeUserSessions,
  rotateRefresh,
} from "../../db/sessions.ts";
import type { User } from "../../db/users.ts";
import type { Log } from "../../log.ts";
import type { Realtime } from "../../realtime/realtime.ts";
import { signSession, verifySession } from "./access_tokens.ts";
import {
  createRefreshToken,
  hashRefreshToken,
  nextRefreshToken,
  readRefreshToken,
} from "./refresh_tokens.ts";
import type { SessionKeys } from "./session_keys.ts";

/** A session that is not refreshed for so long ends, in seconds. */
const SESSION_LIFE_SECONDS = 30 * 86_400;

/** As much of a browser's name as is kept, in UTF-16 units. */
const MAX_USER_AGENT = 200;

export interface SessionDeps {
  readonly config: Pick<Config, "jwtExpiresInSeconds">;
  readonly db: Database;
  readonly log: Log;
  readonly clock: () => number;
  readonly keys: SessionKeys;
  readonly realtime: Pick<Realtime, "closeSession" | "closeUser">;
}

/** What a browser is given at sign-in and at each refresh. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

/**
 * Begins a session of a user who has just proven who they are; undefined when the account was deleted
 * in between.
 */
export async function startSession(
  deps: Omit<SessionDeps, "realtime">,
  user: User,
  userAgent: string | undefined,
): Promise<Tokens | undefined> {
  const id = crypto.randomUUID();
  const now = deps.clock();
  const refreshToken = await createRefreshToken(deps.keys, id);
  const isStored = await createSession(deps.db, {
    id,
    userId: user.id,
    refreshHash: await hashRefreshToken(refreshToken),
    userAgent: shortName(userAgent),
    now: new Date(now),
    expiresAt: new Date(now + sessionLife(deps.config) * 1000),
  });
  if (!isStored) return undefined;
  return await signTokens(deps, user, id, refreshToken);
}

/**
 * Trades a refresh token for new tokens. The same token again gets the same refresh token for ten
 * seconds: a second tab, or a repeat because the answer was lost. One that comes later has been in other
 * hands, the thief's or the owner's: the session ends, and with it every token of it.
 *
 * @param pageUserId for whom the page was drawn that asks, if it is a page: nothing is traded when the
 *   session is another user's
 */
export async function refreshSession(
  deps: SessionDeps,
  refreshToken: string,
  pageUserId?: string,
): Promise<{ user: User; tokens: Tokens } | "other_user" | undefined> {
  const id = await readRefreshToken(deps.keys, refreshToken);
  if (id === undefined) return undefined;
  if (pageUserId !== undefined) {
    const userId = await findSessionUserId(deps.db, id);
    if (userId !== undefined && userId !== pageUserId) return "other_user";
  }
  const now = deps.clock();
  const next = await nextRefreshToken(deps.keys, id, refreshToken);
  const user = await rotateRefresh(deps.db, {
    id,
    oldHash: await hashRefreshToken(refreshToken),
    newHash: await hashRefreshToken(next),
    now: new Date(now),
    expiresAt: new Date(now + sessionLife(deps.config) * 1000),
  });
  if (user !== undefined) {
    return { user, tokens: await signTokens(deps, user, id, next) };
  }
  const userId = await revokeSession(deps.db, id, new Date(now));
  if (userId !== undefined) {
    deps.log.warn("a used refresh token came back; its session was ended", {
      sessionId: id,
    });
    deps.realtime.closeSession(userId, id);
  }
  return undefined;
}

/**
 * Ends the sessions that a request's tokens belong to, if there are any. A token whose time is over
 * still says which session it was.
 *
 * @param carried.pageUserId for whom the page was drawn that asks, if it is a page
 * @returns `other_user` when a token is not that user's, nothing is ended then; else whose session it
 *   was, as far as the tokens tell
 */
export async function endSession(
  deps: SessionDeps,
  carried: {
    accessToken: string | undefined;
    refreshToken: string | undefined;
    pageUserId?: string | undefined;
  },
): Promise<"other_user" | { userId: string | undefined }> {
  const { accessToken, refreshToken, pageUserId } = carried;
  // At the beginning of time no token has expired.
  const claims = accessToken === undefined
    ? undefined
    : await verifySession(deps.keys, accessToken, 0);
  const refreshed = refreshToken === undefined
    ? undefined
    : await readRefreshToken(deps.keys, refreshToken);
  if (pageUserId !== undefined) {
    const owners = [
      claims?.userId,
      refreshed && await findSessionUserId(deps.db, refreshed),
    ];
    if (owners.some((owner) => owner && owner !== pageUserId)) {
      return "other_user";
    }
  }
  let leftUserId = claims?.userId;
  for (const id of new Set([claims?.sessionId, refreshed])) {
    if (id === undefined) continue;
    const userId = await revokeSession(deps.db, id, new Date(deps.clock()));
    if (userId === undefined) continue;
    leftUserId = userId;
    deps.realtime.closeSession(userId, id);
  }
  return { userId: leftUserId };
}

/** Ends one session of a user. @returns whether there was one */
export async function endSessionOf(
  deps: SessionDeps,
  userId: string,
  sessionId: string,
): Promise<boolean> {
  const now = new Date(deps.clock());
  if (await revokeSession(deps.db, sessionId, now, userId) === undefined) {
    return false;
  }
  deps.realtime.closeSession(userId, sessionId);
  return true;
}

/** Ends all sessions of a user, tokens that other programs have signed included. */
export async function endAllSessions(
  deps: SessionDeps,
  userId: string,
): Promise<void> {
  await revokeUserSessions(deps.db, userId, new Date(deps.clock()));
  deps.realtime.closeUser(userId);
}

async function signTokens(
  { config, keys, clock }: Pick<SessionDeps, "config" | "keys" | "clock">,
  user: User,
  sessionId: string,
  refreshToken: string,
): Promise<Tokens> {
  const expiresInSeconds = config.jwtExpiresInSeconds;
  const options = { now: clock(), expiresInSeconds, sessionId };
  return {
    accessToken: await signSession(keys, user, options),
    refreshToken,
    refreshExpiresInSeconds: sessionLife(config),
  };
}

/** A session outlives each of its access tokens. In seconds. */
function sessionLife(config: Pick<Config, "jwtExpiresInSeconds">): number {
  return Math.max(SESSION_LIFE_SECONDS, config.jwtExpiresInSeconds);
}

/** A browser's name as it can be stored and shown: bounded, without control characters. */
function shortName(userAgent = ""): string {
  return userAgent.replace(/[^\x20-\x7e]/g, "").slice(0, MAX_USER_AGENT);
}
