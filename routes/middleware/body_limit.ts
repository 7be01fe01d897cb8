/** Refuses request bodies that no route could want. */

import { bodyLimit as honoBodyLimit } from "hono/body-limit";
import type { MiddlewareHandler } from "hono";
import { problem } from "../problems.ts";

/** Largest request body in bytes, whether its length is announced or it comes in chunks. */
export const MAX_BODY_BYTES = 64 * 1024;

export function bodyLimit(): MiddlewareHandler {
  return honoBodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) => problem(c, "body_too_large"),
  });
}
