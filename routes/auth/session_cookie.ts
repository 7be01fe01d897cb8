/**
 * The cookies that keep a browser signed in. Over https their names begin with `__Host-`: such a cookie
 * is taken from this host alone, so that no other host of the domain can set it.
 */

import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import type { Config } from "../../config.ts";
import { isHttps } from "../middleware/request_origin.ts";

/** Carries the access token. */
export const SESSION_COOKIE = "chatket_session";

/** Carries the refresh token. */
export const REFRESH_COOKIE = "chatket_refresh";

/** Says nothing but that a refresh may succeed: the login page's script reads it. */
const RETURNING_COOKIE = "chatket_returning";

/** Names the user who has signed out, until a page's script has removed what they left in the browser. */
export const LEFT_COOKIE = "chatket_left";

type CookieSettings = Pick<
  Config,
  "jwtExpiresInSeconds" | "publicOrigin" | "trustedProxyHops"
>;

/** Longest cookie life that browsers keep (RFC 6265bis): 400 days, in seconds. */
const MAX_COOKIE_SECONDS = 34_560_000;

/**
 * Lax, not Strict, for the access token: a link from elsewhere to a room must find its reader signed in.
 * All are sent to every path, the refresh token too: the page's “Log out” must end the session when the
 * access token is over.
 */
const ATTRIBUTES = {
  [SESSION_COOKIE]: { path: "/", httpOnly: true, sameSite: "Lax" },
  [REFRESH_COOKIE]: { path: "/", httpOnly: true, sameSite: "Strict" },
  [RETURNING_COOKIE]: { path: "/", sameSite: "Lax" },
} as const;

type CookieName = keyof typeof ATTRIBUTES;

const NAMES = Object.keys(ATTRIBUTES) as CookieName[];

/** The value of a cookie under its name over https or over http. */
export function readSessionCookie(
  c: Context,
  name: typeof SESSION_COOKIE | typeof REFRESH_COOKIE,
): string | undefined {
  return getCookie(c, name, "host") ?? getCookie(c, name);
}

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
  const values = {
    [SESSION_COOKIE]: [tokens.accessToken, settings.jwtExpiresInSeconds],
    [REFRESH_COOKIE]: [tokens.refreshToken, tokens.refreshExpiresInSeconds],
    [RETURNING_COOKIE]: ["1", tokens.refreshExpiresInSeconds],
  } as const;
  for (const name of NAMES) {
    const [value, seconds] = values[name];
    const maxAge = Math.min(seconds, MAX_COOKIE_SECONDS);
    setCookie(c, name, value, { ...optionsOf(c, name, settings), maxAge });
  }
  deleteOldCookies(c, settings);
}

/** @param leftUserId the user who has signed out; undefined where the session has ended by itself */
export function clearSessionCookies(
  c: Context,
  settings: CookieSettings,
  leftUserId?: string,
): void {
  for (const name of NAMES) {
    deleteCookie(c, name, optionsOf(c, name, settings));
  }
  deleteOldCookies(c, settings);
  if (leftUserId === undefined) return;
  setCookie(c, LEFT_COOKIE, leftUserId, {
    path: "/",
    sameSite: "Lax",
    secure: isHttps(c, settings),
    maxAge: MAX_COOKIE_SECONDS,
  });
}

function optionsOf(
  c: Context,
  name: CookieName,
  settings: CookieSettings,
): CookieOptions {
  return isHttps(c, settings)
    ? { ...ATTRIBUTES[name], secure: true, prefix: "host" }
    : { ...ATTRIBUTES[name], secure: false };
}

/**
 * Deletes the cookies of the release before this one, which had one name over http and https, and the
 * refresh token at a path of its own: those that the request carries, and those that it could not. To be
 * removed, with the second name in {@link readSessionCookie}, after the next release.
 */
function deleteOldCookies(c: Context, settings: CookieSettings): void {
  const secure = isHttps(c, settings);
  const old: [CookieName, string][] = [[REFRESH_COOKIE, "/api/auth"]];
  if (secure) {
    old.push(...NAMES.map((name): [CookieName, string] => [name, "/"]));
  }
  for (const [name, path] of old) {
    const isHere = getCookie(c, name) !== undefined;
    if (isHere || !c.req.path.startsWith(path)) {
      deleteCookie(c, name, { ...ATTRIBUTES[name], path, secure });
    }
  }
}
