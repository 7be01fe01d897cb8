/** Who is asking: the session of a request, from its bearer token or its cookie. */

import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import type { Database } from "../../db/database.ts";
import { findUserById, type User } from "../../db/users.ts";
import type { AppEnv } from "../deps.ts";
import { problem } from "../problems.ts";
import { SESSION_COOKIE } from "../session_cookie.ts";
import { type SessionKeys, verifySession } from "../tokens.ts";

export interface Session {
  readonly user: User;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The token a request carries. A URL is no place for one: it ends up in logs and histories. */
export interface RequestToken {
  readonly token: string;
  readonly source: "bearer" | "cookie";
}

/** Finds the session that a token stands for; undefined when the token or its user is no more. */
export type SessionFinder = (token: string) => Promise<Session | undefined>;

export function createSessionFinder(deps: {
  db: Database;
  keys: SessionKeys;
  clock: () => number;
}): SessionFinder {
  return async (token) => {
    const claims = await verifySession(deps.keys, token, deps.clock());
    if (claims === undefined) return undefined;
    const user = await findUserById(deps.db, claims.userId);
    return user && { user, expiresAt: claims.expiresAt };
  };
}

/** A bearer token wins over the cookie, also when it is a bad one: the caller meant it. */
export function requestToken(c: Context): RequestToken | undefined {
  const bearer = /^Bearer(?: +(.*))?$/i.exec(
    c.req.header("authorization") ?? "",
  );
  if (bearer !== null) return { token: bearer[1] ?? "", source: "bearer" };
  const cookie = getCookie(c, SESSION_COOKIE);
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

/** Lets only signed-in requests pass; what follows finds `c.var.session`. */
export function requireSession(
  findSession: SessionFinder,
): MiddlewareHandler<AppEnv> {
  return async function requireSession(c, next) {
    const session = await requestSession(c, findSession);
    if (session === undefined) return problem(c, "unauthorized");
    c.set("session", session);
    return await next();
  };
}
