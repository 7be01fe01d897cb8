/** Security headers of every answer. */

import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import { isHttps, ownOrigin } from "./request_origin.ts";

/** Two years, in seconds: what browsers ask for of a site that stays on https. */
const HSTS_SECONDS = 63_072_000;

/**
 * - `Referrer-Policy: same-origin`, not `no-referrer`: with that, browsers send `Origin: null` with
 *   our own forms and the same-origin check would refuse them.
 * - `Permissions-Policy`: the chat needs none of these.
 */
const FIXED = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Sets the headers on every answer, errors included; API answers are not to be stored either. */
export function securityHeaders(
  config: Pick<Config, "publicOrigin" | "trustedProxyHops">,
): MiddlewareHandler {
  return async function securityHeaders(c, next) {
    // Read before: once a request was upgraded to a WebSocket its headers are gone.
    const policy = contentSecurityPolicy(ownOrigin(c, config));
    const https = isHttps(c, config);
    await next();
    if (c.res.status === 101) return;
    const { headers } = c.res;
    for (const [name, value] of Object.entries(FIXED)) headers.set(name, value);
    headers.set("content-security-policy", policy);
    if (https) {
      headers.set(
        "strict-transport-security",
        `max-age=${HSTS_SECONDS}`,
      );
    }
    if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  };
}

/** @param origin the server's own; its WebSocket twin is named for browsers where 'self' does not cover it */
export function contentSecurityPolicy(origin: string | undefined): string {
  const socket = origin === undefined ? "" : ` ${origin.replace("http", "ws")}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${socket}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
