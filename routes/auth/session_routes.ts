/** Renewing a session, and signing out. */

import { z } from "@hono/zod-openapi";
import { USER_HEADER } from "../../realtime/protocol/handshake.ts";
import { UserRef } from "../../realtime/protocol/shapes.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, restCall } from "../rest_call.ts";
import { requestToken } from "./session.ts";
import {
  clearSessionCookies,
  readSessionCookie,
  REFRESH_COOKIE,
  setSessionCookies,
} from "./session_cookie.ts";
import { endSession, refreshSession } from "./sessions.ts";

export const SignedIn = z.object({ accessToken: z.string(), user: UserRef })
  .openapi("SignedIn");

export const addRefreshSession: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/refresh",
    operationId: "refreshSession",
    tag: "Authentication",
    access: "public",
    security: [{ refreshCookie: [] }],
    summary: "Trade the refresh cookie for new tokens",
    description:
      "A refresh token is good once; the same token within ten seconds gets the same successor, later it ends its session.",
    answers: { 200: jsonAnswer("Signed in", SignedIn) },
    problems: ["unauthorized", "other_user", "too_many_requests"],
  });
  app.openapi(call, async (c) => {
    const token = readSessionCookie(c, REFRESH_COOKIE);
    const result = token === undefined
      ? undefined
      : await refreshSession(deps, token, c.req.header(USER_HEADER));
    if (result === "other_user") return problem(c, "other_user");
    if (result === undefined) {
      clearSessionCookies(c, deps.config);
      return problem(c, "unauthorized");
    }
    const { user, tokens } = result;
    setSessionCookies(c, tokens, deps.config);
    c.header("cache-control", "no-store");
    return c.json({ accessToken: tokens.accessToken, user }, 200);
  });
};

export const addLogout: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/logout",
    operationId: "logout",
    tag: "Authentication",
    access: "public",
    security: [{}, { bearer: [] }, { cookie: [] }, { refreshCookie: [] }],
    summary: "End the session",
    description:
      "Its tokens are refused from now on, its sockets are closed with 4401, and the cookies are cleared.",
    answers: { 204: { description: "Signed out" } },
    problems: ["other_user"],
  });
  app.openapi(call, async (c) => {
    const ended = await endSession(deps, {
      accessToken: requestToken(c)?.token,
      refreshToken: readSessionCookie(c, REFRESH_COOKIE),
      pageUserId: c.req.header(USER_HEADER),
    });
    if (ended === "other_user") return problem(c, "other_user");
    clearSessionCookies(c, deps.config, ended.userId);
    return c.body(null, 204);
  });
};
