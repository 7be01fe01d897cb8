/** One log line a request, under an id of its own: never its query, headers or body. */

import type { MiddlewareHandler } from "hono";
import type { Log } from "../../log.ts";
import type { AppEnv } from "../deps.ts";

/** Requested often and by machines: logged at the level `debug`. */
const QUIET_PATHS = /^\/(static\/|health$|api\/health$|ready$|metrics$)/;

export function requestLog(
  log: Log,
  clock: () => number,
): MiddlewareHandler<AppEnv> {
  return async function requestLog(c, next) {
    const startedAt = clock();
    // Read first: the request is gone once it has become a WebSocket.
    const { method, path } = c.req;
    const requestId = crypto.randomUUID();
    c.set("requestId", requestId);
    await next();
    // What an upgraded request answers belongs to the runtime.
    if (c.res.status !== 101) c.res.headers.set("x-request-id", requestId);
    const level = QUIET_PATHS.test(path) ? "debug" : "info";
    log[level]("request", {
      method,
      path,
      status: c.res.status,
      ms: Math.round(clock() - startedAt),
      requestId,
    });
  };
}
