/** Refuses what another site's page makes a signed-in browser send. */

import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import {
  readSessionCookie,
  REFRESH_COOKIE,
  SESSION_COOKIE,
} from "../auth/session_cookie.ts";
import { problem } from "../problems.ts";
import { isForeign } from "./request_origin.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** What a page may send to another site without asking it first (Fetch: CORS-safelisted). */
const FORM_TYPES =
  /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;

/**
 * An unsafe request that carries a session's cookie, or a form's body (a foreign page could sign
 * its visitor in under a name of its own), must not come from a foreign page.
 */
export function sameOrigin(
  config: Pick<Config, "publicOrigin" | "trustedProxyHops">,
): MiddlewareHandler {
  return async function sameOrigin(c, next) {
    const guarded = !SAFE_METHODS.has(c.req.method) &&
      (readSessionCookie(c, SESSION_COOKIE) !== undefined ||
        readSessionCookie(c, REFRESH_COOKIE) !== undefined ||
        FORM_TYPES.test(c.req.header("content-type") ?? ""));
    if (guarded && isForeign(c, config)) return problem(c, "cross_origin");
    return await next();
  };
}
