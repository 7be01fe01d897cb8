/** One log line a request: never its query, headers or body. */

import type { MiddlewareHandler } from "hono";
import type { Log } from "../../log.ts";

/** Asked for all the time and by machines: told only when someone is looking closely. */
const QUIET_PATHS = /^\/(static\/|health$|api\/health$|ready$)/;

export function requestLog(log: Log, clock: () => number): MiddlewareHandler {
  return async function requestLog(c, next) {
    const startedAt = clock();
    // Read first: the request is gone once it has become a WebSocket.
    const { method, path } = c.req;
    await next();
    const level = QUIET_PATHS.test(path) ? "debug" : "info";
    log[level]("request", {
      method,
      path,
      status: c.res.status,
      ms: clock() - startedAt,
    });
  };
}
