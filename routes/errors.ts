/** What is answered when a route fails. */

import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { isUnavailable } from "../db/engine/errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { AppEnv } from "./deps.ts";
import { problem, type ProblemCode } from "./problems.ts";

/** When to try again after the database was away, in milliseconds: a restart takes about that. */
const RETRY_AFTER_MS = 2_000;

/** The framework's own refusals, by status. */
const FRAMEWORK_PROBLEMS: Readonly<Record<number, ProblemCode>> = {
  400: "validation_failed",
  404: "not_found",
  405: "method_not_allowed",
  413: "body_too_large",
  415: "unsupported_media_type",
};

/** Never raised by a lost connection: a mistake in this program. */
const PROGRAM_FAULTS = [
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** Answers what a handler threw: by kind, never with its words. The log has them, under the same id. */
export function answerError(log: Log): ErrorHandler<AppEnv> {
  return (error, c) => {
    if (error instanceof HTTPException) {
      const code = FRAMEWORK_PROBLEMS[error.status];
      if (code !== undefined) {
        const { message } = error;
        return problem(c, code, {
          detail: message,
          ...code === "validation_failed" &&
            { errors: [{ path: "", message }] },
        });
      }
    }
    const requestId = c.get("requestId") ?? crypto.randomUUID();
    const fields = { requestId, method: c.req.method, path: c.req.path };
    const instance = `urn:uuid:${requestId}`;
    // The body broke off: the client is gone and will not read the answer.
    if (error instanceof Deno.errors.BadResource) {
      log.debug("request broke off", fields);
      const errors = [{ path: "", message: "the body broke off" }];
      return problem(c, "validation_failed", { errors, instance });
    }
    if (
      isUnavailable(error) &&
      !PROGRAM_FAULTS.some((fault) => error instanceof fault)
    ) {
      log.warn("request failed: the database is away", {
        ...fields,
        ...errorFields(error),
      });
      return problem(c, "unavailable", {
        instance,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    log.error("request failed", { ...fields, ...errorFields(error) });
    return problem(c, "internal", { instance });
  };
}
