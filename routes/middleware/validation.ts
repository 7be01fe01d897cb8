/** How an input that fails its schema is answered, the same on every route. */

import type { Context } from "hono";
import type { z } from "zod";
import { type FieldError, problem } from "../problems.ts";

/**
 * The hook of every route. A path's id that is no UUID names a room that cannot exist; everything
 * else is `validation_failed`, with one entry for each fault.
 */
export function answerInvalid(
  result:
    & { target: string }
    & (
      { success: true } | { success: false; error: z.ZodError }
    ),
  c: Context,
) {
  if (result.success) return;
  if (result.target === "param") return problem(c, "room_not_found");
  return problem(c, "validation_failed", {
    errors: fieldErrors(result.error),
  });
}

/** The faults of an input, as they stand in a problem's `errors`. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => ({
    path: issue.path.join("."),
    message: issue.message,
  }));
}
