/** The cookie that keeps a browser signed in. */

import type { Context } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import type { Config } from "../config.ts";
import { isHttps } from "./request_origin.ts";

export const SESSION_COOKIE = "chatket_session";

type CookieSettings = Pick<
  Config,
  "jwtExpiresInSeconds" | "publicOrigin" | "trustedProxyHops"
>;

/** Longest cookie life that browsers keep (RFC 6265bis): 400 days, in seconds. */
const MAX_COOKIE_SECONDS = 34_560_000;

/** Lax, not Strict: a link from elsewhere to a room must find its reader signed in. */
const ATTRIBUTES = { path: "/", httpOnly: true, sameSite: "Lax" } as const;

export function setSessionCookie(
  c: Context,
  token: string,
  settings: CookieSettings,
): void {
  setCookie(c, SESSION_COOKIE, token, {
    ...ATTRIBUTES,
    secure: isHttps(c, settings),
    maxAge: Math.min(settings.jwtExpiresInSeconds, MAX_COOKIE_SECONDS),
  });
}

export function clearSessionCookie(c: Context, settings: CookieSettings): void {
  deleteCookie(c, SESSION_COOKIE, {
    ...ATTRIBUTES,
    secure: isHttps(c, settings),
  });
}
