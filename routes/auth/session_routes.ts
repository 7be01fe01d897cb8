/** A user's sessions: listing them and ending them. */

import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { listSessions } from "../../db/sessions.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { requireSession } from "../middleware/require_session.ts";
import { signedIn } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import {
  jsonAnswer,
  problemResponses,
  SessionParams,
  SessionSchema,
} from "../schemas.ts";
import { clearSessionCookies } from "./session_cookie.ts";
import { endAllSessions, endSessionOf } from "./sessions.ts";

const common = { tags: ["Authentication"], security: signedIn };

const list = createRoute({
  ...common,
  method: "get",
  path: "/sessions",
  summary: "The caller's sessions, the one used last first",
  responses: {
    200: jsonAnswer("The sessions", z.array(SessionSchema)),
    ...problemResponses("unauthorized", "too_many_requests"),
  },
});

const end = createRoute({
  ...common,
  method: "delete",
  path: "/sessions/{id}",
  summary: "End one of the caller's sessions",
  request: { params: SessionParams },
  responses: {
    204: { description: "Ended" },
    ...problemResponses("unauthorized", "cross_origin", "session_not_found"),
  },
});

const endAll = createRoute({
  ...common,
  method: "post",
  path: "/logout-everywhere",
  summary: "End all of the caller's sessions",
  description:
    "Every token of the user is refused from now on, and their sockets are closed with 4401.",
  responses: {
    204: { description: "Signed out everywhere" },
    ...problemResponses("unauthorized", "cross_origin"),
  },
});

/** Mounted under `/api/auth`. */
export function sessionRoutes(deps: RouteDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook(result, c) {
      if (!result.success) return problem(c, "session_not_found");
    },
  });
  const onlySignedIn = requireSession({ findSession: deps.findSession });
  // Ending a session is never refused, so it is not counted.
  app.use("/sessions", requireSession(deps));
  app.use("/sessions/:id", onlySignedIn);
  app.use("/logout-everywhere", onlySignedIn);

  app.openapi(list, async (c) => {
    const { user, sessionId } = c.var.session;
    const rows = await listSessions(deps.db, user.id, new Date(deps.clock()));
    const sessions = rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at.toISOString(),
      lastUsedAt: row.last_used_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      userAgent: row.user_agent,
      isCurrent: row.id === sessionId,
    }));
    return c.json(sessions, 200);
  });

  app.openapi(end, async (c) => {
    const { user, sessionId } = c.var.session;
    const { id } = c.req.valid("param");
    if (!await endSessionOf(deps, user.id, id)) {
      return problem(c, "session_not_found");
    }
    if (id === sessionId) clearSessionCookies(c, deps.config, user.id);
    return c.body(null, 204);
  });

  app.openapi(endAll, async (c) => {
    const { id } = c.var.session.user;
    await endAllSessions(deps, id);
    clearSessionCookies(c, deps.config, id);
    return c.body(null, 204);
  });
  return app;
}
