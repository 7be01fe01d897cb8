/** The calls under `/api/auth`, and those of signing in with a code. */

import { z } from "@hono/zod-openapi";
import type { Config } from "../../config.ts";
import { MAX_CODE_TRIES } from "../../db/login_codes.ts";
import type { RouteDeps } from "../deps.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { clientNetwork } from "../middleware/client_address.ts";
import { problem } from "../problems.ts";
import {
  type AddCall,
  jsonAnswer,
  jsonBody,
  restCall,
  restRoutes,
} from "../rest_call.ts";
import { CODE_LIFE_MS, requestLoginCode, verifyLoginCode } from "./login.ts";
import { Email, LoginCode, Username } from "./login_schemas.ts";
import {
  REFRESH_COOKIE,
  SESSION_COOKIE,
  setSessionCookies,
} from "./session_cookie.ts";
import {
  addEndAllSessions,
  addEndSession,
  addGetMe,
  addListSessions,
} from "./session_list.ts";
import { addLogout, addRefreshSession, SignedIn } from "./session_routes.ts";

/** Mounted under `/api/auth`. */
export function authRoutes(deps: RouteDeps) {
  return restRoutes(deps, [
    addRequestCode,
    addVerifyCode,
    addRefreshSession,
    addLogout,
    addGetMe,
    addListSessions,
    addEndSession,
    addEndAllSessions,
  ]);
}

/** What is said of a code that was made, by how it is delivered. */
const CODE_MESSAGES: Readonly<Record<Config["codeDelivery"], string>> = {
  response: "Code generated successfully",
  console: "Code generated successfully; read it in the server's log",
  email:
    "Code generated successfully; if the name has an address, it is on its way there",
};

const addRequestCode: AddCall = (app, deps) => {
  const CodeRequest = z.object({
    username: Username,
    email: Email.optional(),
  }).openapi("CodeRequest");
  const CodeRequested = z.object({
    message: z.string().openapi({ example: CODE_MESSAGES.response }),
    code: z.string().optional().openapi({ example: EXAMPLE.loginCode }),
  }).openapi("CodeRequested");
  const { username } = EXAMPLE.user;
  const call = restCall(deps, {
    method: "post",
    path: "/request-code",
    operationId: "requestCode",
    tag: "Authentication",
    access: "public",
    summary: "Request a login code",
    description:
      "Makes the user when new. A new code voids the earlier ones. `code` is in the answer only with `CODE_DELIVERY=response`. With `CODE_DELIVERY=email` the first sign-in under a name gives the address, later ones need none; the answer is the same whoever exists.",
    request: {
      body: jsonBody(CodeRequest, {
        name: { username },
        "name and address": { username, email: EXAMPLE.email },
      }),
    },
    answers: { 200: jsonAnswer("The code was made", CodeRequested) },
    problems: ["too_many_requests"],
  });
  app.openapi(call, async (c) => {
    const { username, email } = c.req.valid("json");
    const network = clientNetwork(c, deps.config.trustedProxyHops);
    const request = { username, email, network };
    const result = await requestLoginCode(deps, request);
    if (!result.ok) return problem(c, result.code, result);
    const message = CODE_MESSAGES[deps.config.codeDelivery];
    const code = result.loginCode;
    return c.json({ message, ...code !== undefined && { code } }, 200);
  });
};

const addVerifyCode: AddCall = (app, deps) => {
  const CodeAttempt = z.object({ username: Username, code: LoginCode })
    .openapi("CodeAttempt");
  const { user: { username }, loginCode } = EXAMPLE;
  const call = restCall(deps, {
    method: "post",
    path: "/verify-code",
    operationId: "verifyCode",
    tag: "Authentication",
    access: "public",
    summary: "Trade a login code for an access token",
    description:
      `Begins a session and sets its cookies, \`${SESSION_COOKIE}\` and \`${REFRESH_COOKIE}\`; over https their names begin with \`__Host-\`. A code works once, for ${
        CODE_LIFE_MS / 60_000
      } minutes, and dies after ${MAX_CODE_TRIES} wrong tries.`,
    request: {
      body: jsonBody(CodeAttempt, { code: { username, code: loginCode } }),
    },
    answers: { 200: jsonAnswer("Signed in", SignedIn) },
    problems: ["invalid_code", "too_many_requests"],
  });
  app.openapi(call, async (c) => {
    const { username, code } = c.req.valid("json");
    const result = await verifyLoginCode(deps, {
      username,
      loginCode: code,
      network: clientNetwork(c, deps.config.trustedProxyHops),
      userAgent: c.req.header("user-agent"),
    });
    if (!result.ok) {
      if (result.code === "invalid_code") return problem(c, "invalid_code");
      return problem(c, result.code, result);
    }
    const { user, tokens } = result;
    setSessionCookies(c, tokens, deps.config);
    return c.json({ accessToken: tokens.accessToken, user }, 200);
  });
};
