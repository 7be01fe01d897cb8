/** Whether the process is alive and ready, for monitors and balancers. */

import { z } from "@hono/zod-openapi";
import { pingDatabase } from "../../db/engine/database.ts";
import type { RouteDeps } from "../deps.ts";
import { problem } from "../problems.ts";
import {
  type AddCall,
  jsonAnswer,
  restCall,
  restRoutes,
} from "../rest_call.ts";

/** How long the database may take to answer before the process counts as not ready, in milliseconds. */
const PING_TIMEOUT_MS = 2_000;

/** When to ask again, in milliseconds. */
const RETRY_AFTER_MS = 2_000;

const Status = z.object({ status: z.literal("ok") }).openapi("Status");

const Readiness = z.object({
  status: z.literal("ok"),
  backbone: z.enum(["ok", "away"]).optional().openapi({
    description:
      "With `REDIS_URL`: whether Redis passes events between the processes. While it is away they are seconds late.",
  }),
}).openapi("Readiness");

/** The runtime refuses malformed requests before any route sees them. */
const MALFORMED = { "4XX": { description: "The request is malformed" } };

/** Mounted at the root. */
export function healthRoutes(deps: RouteDeps) {
  return restRoutes(deps, [
    addHealth("/health", "getHealth"),
    addHealth("/api/health", "getApiHealth"),
    addReady,
  ]);
}

function addHealth(path: string, operationId: string): AddCall {
  return (app, deps) => {
    const call = restCall(deps, {
      method: "get",
      path,
      operationId,
      tag: "Operation",
      access: "public",
      summary: "Alive: the process serves",
      answers: { 200: jsonAnswer("It does", Status), ...MALFORMED },
    });
    app.openapi(call, (c) => c.json({ status: "ok" as const }, 200));
  };
}

const addReady: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/ready",
    operationId: "getReadiness",
    tag: "Operation",
    access: "public",
    summary: "Ready: the database answers and the server is not shutting down",
    answers: { 200: jsonAnswer("Send it traffic", Readiness), ...MALFORMED },
    problems: ["unavailable"],
  });
  app.openapi(call, async (c) => {
    const { db, realtime, log } = deps;
    if (realtime.draining) {
      return problem(c, "unavailable", {
        detail: "The server is shutting down",
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    try {
      await within(PING_TIMEOUT_MS, pingDatabase(db));
    } catch (error) {
      log.warn("not ready: the database does not answer", {
        error: String(error),
      });
      return problem(c, "unavailable", {
        detail: "The database does not answer",
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const { brokerUp } = realtime;
    const backbone = brokerUp ? "ok" as const : "away" as const;
    return c.json({
      status: "ok" as const,
      ...brokerUp !== undefined && { backbone },
    }, 200);
  });
};

/** The promise's outcome, or a rejection when it takes longer than that many milliseconds. */
async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new Error(`no answer within ${milliseconds} ms`)),
    milliseconds,
  );
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
