/** The cookies that keep a browser signed in. */

import type { Context } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import type { Config } from "../config.ts";
import { isHttps } from "./request_origin.ts";

/** Carries the access token. */
export const SESSION_COOKIE = "chatket_session";

/** Carries the refresh token, to the one place that takes it. */
export const REFRESH_COOKIE = "chatket_refresh";

/** Says nothing but that a refresh may succeed: the login page's script reads it. */
export const RETURNING_COOKIE = "chatket_returning";

type CookieSettings = Pick<
  Config,
  "jwtExpiresInSeconds" | "publicOrigin" | "trustedProxyHops"
>;

/** Longest cookie life that browsers keep (RFC 6265bis): 400 days, in seconds. */
const MAX_COOKIE_SECONDS = 34_560_000;

/** Lax, not Strict: a link from elsewhere to a room must find its reader signed in. */
const ATTRIBUTES = { path: "/", httpOnly: true, sameSite: "Lax" } as const;

const REFRESH_ATTRIBUTES = {
  path: "/api/auth",
  httpOnly: true,
  sameSite: "Strict",
} as const;

const RETURNING_ATTRIBUTES = { path: "/", sameSite: "Lax" } as const;

/** @param tokens.refreshExpiresInSeconds how long the session lives without another refresh */
export function setSessionCookies(
  c: Context,
  tokens: {
    accessToken: string;
    refreshToken: string;
    refreshExpiresInSeconds: number;
  },
  settings: CookieSettings,
): void {
  const secure = isHttps(c, settings);
  const maxAge = Math.min(tokens.refreshExpiresInSeconds, MAX_COOKIE_SECONDS);
  setCookie(c, SESSION_COOKIE, tokens.accessToken, {
    ...ATTRIBUTES,
    secure,
    maxAge: Math.min(settings.jwtExpiresInSeconds, MAX_COOKIE_SECONDS),
  });
  const refresh = { ...REFRESH_ATTRIBUTES, secure, maxAge };
  setCookie(c, REFRESH_COOKIE, tokens.refreshToken, refresh);
  const returning = { ...RETURNING_ATTRIBUTES, secure, maxAge };
  setCookie(c, RETURNING_COOKIE, "1", returning);
}

export function clearSessionCookies(
  c: Context,
  settings: CookieSettings,
): void {
  const secure = isHttps(c, settings);
  deleteCookie(c, SESSION_COOKIE, { ...ATTRIBUTES, secure });
  deleteCookie(c, REFRESH_COOKIE, { ...REFRESH_ATTRIBUTES, secure });
  deleteCookie(c, RETURNING_COOKIE, { ...RETURNING_ATTRIBUTES, secure });
}
