/** The origin under which a browser sees this server. */

import type { Context } from "hono";
import type { Config } from "../../config.ts";

type OriginSettings = Pick<Config, "publicOrigin" | "trustedProxyHops">;

/**
 * The server's own origin (`https://chat.example.org`): the configured one, else what the request
 * itself says. Undefined when the request names no sensible host; nothing equals that.
 */
export function ownOrigin(
  c: Context,
  settings: OriginSettings,
): string | undefined {
  if (settings.publicOrigin !== undefined) return settings.publicOrigin;
  const requested = URL.parse(c.req.url);
  const host = c.req.header("host") ?? requested?.host;
  // The host goes into answers (the Content-Security-Policy): characters that mean something there
  // are legal in a URL's host, but in no name that can be reached.
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined;
  const origin = URL.parse(`${scheme(c, settings)}://${host}`)?.origin;
  return origin === "null" ? undefined : origin;
}

/** Whether browsers reach the server over https. */
export function isHttps(c: Context, settings: OriginSettings): boolean {
  if (settings.publicOrigin !== undefined) {
    return settings.publicOrigin.startsWith("https:");
  }
  return scheme(c, settings) === "https";
}

function scheme(c: Context, settings: OriginSettings): "http" | "https" {
  if (settings.trustedProxyHops > 0) {
    const forwarded = c.req.header("x-forwarded-proto")?.split(",")
      .at(-settings.trustedProxyHops) ??
      c.req.header("x-forwarded-proto");
    if (forwarded !== undefined) {
      return forwarded.trim().toLowerCase() === "https" ? "https" : "http";
    }
  }
  return c.req.url.startsWith("https:") ? "https" : "http";
}

/** Whether the request says that a page of another origin made it. Silence comes from no browser. */
export function isForeign(c: Context, settings: OriginSettings): boolean {
  const origin = c.req.header("origin");
  if (origin !== undefined && origin !== ownOrigin(c, settings)) return true;
  return c.req.header("sec-fetch-site") === "cross-site";
}
