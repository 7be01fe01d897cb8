/** Signing in and out: code request, verification, logout, me. */

import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { USER_HEADER } from "../../realtime/protocol/handshake.ts";
import { UserRef } from "../../realtime/protocol/shapes.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { clientNetwork } from "../middleware/client_address.ts";
import { requireSession } from "../middleware/require_session.ts";
import { requestToken } from "./session.ts";
import { answerInvalid, signedIn } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import {
  Email,
  jsonAnswer,
  jsonBody,
  LoginCode,
  problemResponses,
  Username,
} from "../schemas.ts";
import { requestLoginCode, verifyLoginCode } from "./login.ts";
import {
  clearSessionCookies,
  readSessionCookie,
  REFRESH_COOKIE,
  setSessionCookies,
} from "./session_cookie.ts";
import { endSession, refreshSession } from "./sessions.ts";

const SignedIn = z.object({ accessToken: z.string(), user: UserRef })
  .openapi("SignedIn");

const requestCode = createRoute({
  method: "post",
  path: "/request-code",
  tags: ["Authentication"],
  summary: "Request a login code",
  description:
    "Makes the user when new. A new code voids the earlier ones. `code` is in the answer only with `CODE_DELIVERY=response`. With `CODE_DELIVERY=email` the first sign-in under a name gives the address, later ones need none; the answer is the same whoever exists.",
  request: {
    body: jsonBody(
      z.object({ username: Username, email: Email.optional() })
        .openapi("CodeRequest"),
      {
        name: { username: EXAMPLE.user.username },
        "name and address": {
          username: EXAMPLE.user.username,
          email: EXAMPLE.email,
        },
      },
    ),
  },
  responses: {
    200: jsonAnswer(
      "The code was made",
      z.object({
        message: z.string().openapi({ example: "Code generated successfully" }),
        code: z.string().optional().openapi({ example: "123456" }),
      }).openapi("CodeRequested"),
    ),
    ...problemResponses(
      "validation_failed",
      "cross_origin",
      "body_too_large",
      "unsupported_media_type",
      "too_many_requests",
    ),
  },
});

const verifyCode = createRoute({
  method: "post",
  path: "/verify-code",
  tags: ["Authentication"],
  summary: "Trade a login code for an access token",
  description:
    "Begins a session and sets its cookies, `chatket_session` and `chatket_refresh`; over https their names begin with `__Host-`. A code works once, for 10 minutes, and dies after 5 wrong tries.",
  request: {
    body: jsonBody(
      z.object({ username: Username, code: LoginCode }).openapi("CodeAttempt"),
      {
        code: { username: EXAMPLE.user.username, code: EXAMPLE.loginCode },
      },
    ),
  },
  responses: {
    200: jsonAnswer(
      "Signed in",
      SignedIn,
    ),
    ...problemResponses(
      "validation_failed",
      "invalid_code",
      "cross_origin",
      "body_too_large",
      "unsupported_media_type",
      "too_many_requests",
    ),
  },
});

const logout = createRoute({
  method: "post",
  path: "/logout",
  tags: ["Authentication"],
  summary: "End the session",
  description:
    "Its tokens are refused from now on, its sockets are closed with 4401, and the cookies are cleared.",
  responses: {
    204: { description: "Signed out" },
    ...problemResponses("cross_origin", "other_user"),
  },
});

const refresh = createRoute({
  method: "post",
  path: "/refresh",
  tags: ["Authentication"],
  summary: "Trade the refresh cookie for new tokens",
  description:
    "A refresh token is good once; the same token within ten seconds gets the same successor, later it ends its session.",
  responses: {
    200: jsonAnswer("Signed in", SignedIn),
    ...problemResponses(
      "unauthorized",
      "cross_origin",
      "other_user",
      "too_many_requests",
    ),
  },
});

const me = createRoute({
  method: "get",
  path: "/me",
  tags: ["Authentication"],
  summary: "The signed-in user",
  security: signedIn,
  responses: {
    200: jsonAnswer("The user", z.object({ user: UserRef })),
    ...problemResponses("unauthorized", "too_many_requests"),
  },
});

/** What is said of a code that was made, by how it is delivered. */
const CODE_MESSAGES = {
  response: "Code generated successfully",
  console: "Code generated successfully; read it in the server's log",
  email:
    "Code generated successfully; if the name has an address, it is on its way there",
};

/** Mounted under `/api/auth`. */
export function authRoutes(deps: RouteDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: answerInvalid });
  app.use("/me", requireSession(deps));

  app.openapi(requestCode, async (c) => {
    const { username, email } = c.req.valid("json");
    const network = clientNetwork(c, deps.config.trustedProxyHops);
    const request = { username, email, network };
    const result = await requestLoginCode(deps, request);
    if (!result.ok) return problem(c, result.code, result);
    const message = CODE_MESSAGES[deps.config.codeDelivery];
    return c.json(
      {
        message,
        ...(result.loginCode === undefined ? {} : { code: result.loginCode }),
      },
      200,
    );
  });

  app.openapi(verifyCode, async (c) => {
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

  app.openapi(refresh, async (c) => {
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

  app.openapi(logout, async (c) => {
    const ended = await endSession(deps, {
      accessToken: requestToken(c)?.token,
      refreshToken: readSessionCookie(c, REFRESH_COOKIE),
      pageUserId: c.req.header(USER_HEADER),
    });
    if (ended === "other_user") return problem(c, "other_user");
    clearSessionCookies(c, deps.config, ended.userId);
    return c.body(null, 204);
  });

  app.openapi(me, (c) => c.json({ user: c.var.session.user }, 200));
  return app;
}
