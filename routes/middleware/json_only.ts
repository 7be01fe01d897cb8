/** Refuses request bodies that are not JSON, also where no body is wanted. */

import type { Context, MiddlewareHandler } from "hono";
import { problem } from "../problems.ts";

export function jsonOnly(): MiddlewareHandler {
  return async function jsonOnly(c, next) {
    if (hasBody(c) && !isJson(c)) return problem(c, "unsupported_media_type");
    return await next();
  };
}

/** A body is announced by its length, or comes in chunks (RFC 9112, section 6). */
function hasBody(c: Context): boolean {
  return c.req.header("transfer-encoding") !== undefined ||
    Number(c.req.header("content-length") ?? 0) > 0;
}

/** Whether a request says that its body is JSON. */
export function isJson(c: Context): boolean {
  const type = c.req.header("content-type")?.split(";")[0]?.trim();
  return type?.toLowerCase() === "application/json";
}
