/** Who is signed in, and where: listing and ending a user's sessions. */

import { z } from "@hono/zod-openapi";
import { listSessions } from "../../db/sessions.ts";
import { Time, UserRef } from "../../realtime/protocol/shapes.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, restCall } from "../rest_call.ts";
import { pathId } from "../schemas.ts";
import { clearSessionCookies } from "./session_cookie.ts";
import { endAllSessions, endSessionOf } from "./sessions.ts";

const Session = z.object({
  id: z.uuid().meta({ example: EXAMPLE.sessionId }),
  createdAt: Time,
  lastUsedAt: Time.describe("within five minutes"),
  expiresAt: Time.describe("unless it is refreshed before"),
  userAgent: z.string().openapi({ example: "Mozilla/5.0 …" }),
  isCurrent: z.boolean().openapi({ description: "the one that asks" }),
}).openapi("Session");

export const addGetMe: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/me",
    operationId: "getMe",
    tag: "Authentication",
    summary: "The signed-in user",
    answers: { 200: jsonAnswer("The user", z.object({ user: UserRef })) },
  });
  app.openapi(call, (c) => c.json({ user: c.var.session.user }, 200));
};

export const addListSessions: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/sessions",
    operationId: "listSessions",
    tag: "Authentication",
    summary: "The caller's sessions, the one used last first",
    answers: { 200: jsonAnswer("The sessions", z.array(Session)) },
  });
  app.openapi(call, async (c) => {
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
};

export const addEndSession: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "delete",
    path: "/sessions/{id}",
    operationId: "endSession",
    tag: "Authentication",
    access: "uncounted",
    summary: "End one of the caller's sessions",
    request: { params: pathId(EXAMPLE.sessionId) },
    answers: { 204: { description: "Ended" } },
    problems: ["session_not_found"],
  });
  app.openapi(call, async (c) => {
    const { user, sessionId } = c.var.session;
    const { id } = c.req.valid("param");
    if (!await endSessionOf(deps, user.id, id)) {
      return problem(c, "session_not_found");
    }
    if (id === sessionId) clearSessionCookies(c, deps.config, user.id);
    return c.body(null, 204);
  }, (result, c) => {
    if (!result.success) return problem(c, "session_not_found");
  });
};

export const addEndAllSessions: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/logout-everywhere",
    operationId: "endAllSessions",
    tag: "Authentication",
    access: "uncounted",
    summary: "End all of the caller's sessions",
    description:
      "Every token of the user is refused from now on, and their sockets are closed with 4401.",
    answers: { 204: { description: "Signed out everywhere" } },
  });
  app.openapi(call, async (c) => {
    const { id } = c.var.session.user;
    await endAllSessions(deps, id);
    clearSessionCookies(c, deps.config, id);
    return c.body(null, 204);
  });
};
