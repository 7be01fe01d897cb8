/** Puts the routes together: the order of the middleware, the mounts, the last answers. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { assetRoutes } from "./assets/assets.ts";
import { accountRoutes } from "./auth/account.ts";
import { authRoutes } from "./auth/auth.ts";
import { createSessionFinder } from "./auth/session.ts";
import { peekSession } from "./auth/access_tokens.ts";
import type { AppDeps, AppEnv, RouteDeps } from "./deps.ts";
import { docsRoutes } from "./docs/docs.ts";
import { answerError } from "./errors.ts";
import { messageRoutes } from "./messages/messages.ts";
import { allowedMethods } from "./middleware/allowed_methods.ts";
import {
  createAuthLimits,
  limitAuthAttempts,
} from "./middleware/auth_limit.ts";
import { bodyLimit } from "./middleware/body_limit.ts";
import { CallBudget } from "./middleware/call_budget.ts";
import { jsonOnly } from "./middleware/json_only.ts";
import { problemPage } from "./middleware/problem_page.tsx";
import { requestLog } from "./middleware/request_log.ts";
import { requireSession } from "./middleware/require_session.ts";
import { sameOrigin } from "./middleware/same_origin.ts";
import { securityHeaders } from "./middleware/security_headers.ts";
import { healthRoutes } from "./operations/health.ts";
import { metricsRoutes } from "./operations/metrics.ts";
import { pageRoutes } from "./pages/pages.tsx";
import { problem } from "./problems.ts";
import { realtimeRoutes } from "./realtime/realtime.ts";
import { roomRoutes } from "./rooms/rooms.ts";

/** Requests to sign in are counted by address; signing out is never refused. */
const SIGN_IN_PATHS = [
  "/api/auth/request-code",
  "/api/auth/verify-code",
  "/api/auth/refresh",
  "/login",
];

/** The whole HTTP side, without a server: see {@link createHandler}. */
export function createApp(appDeps: AppDeps): OpenAPIHono<AppEnv> {
  const { config, log, clock, steadyClock } = appDeps;
  const deps: RouteDeps = {
    ...appDeps,
    findSession: createSessionFinder(appDeps),
    authLimits: createAuthLimits(steadyClock, appDeps.shared, config),
    callBudget: new CallBudget({
      perMinute: config.restLimitPerMinute,
      clock: steadyClock,
      shared: appDeps.shared,
      peek: (token) => peekSession(appDeps.keys, token, clock()),
    }),
  };
  const app = new OpenAPIHono<AppEnv>();

  // The cheap refusals come first; none of them touches the database.
  app.use(requestLog(log, steadyClock));
  app.use(securityHeaders(config));
  app.use(problemPage(appDeps.manifest));
  app.use(allowedMethods(app));
  app.use(sameOrigin(config));
  for (const path of SIGN_IN_PATHS) {
    app.use(path, limitAuthAttempts(deps.authLimits, config));
  }
  app.use(bodyLimit());
  // Everything below needs a session and is counted, unknown paths too.
  app.use("/api/rooms/*", requireSession(deps));

  app.route("/", realtimeRoutes(deps));
  app.use("/api/*", jsonOnly());
  app.route("/", healthRoutes(deps));
  app.route("/", metricsRoutes(deps));
  app.route("/api/auth", authRoutes(deps));
  app.use("/api/account/*", requireSession(deps));
  app.route("/api/account", accountRoutes(deps));
  app.route("/api/rooms", roomRoutes(deps));
  app.route("/api/rooms", messageRoutes(deps));
  app.route("/", docsRoutes(app));
  app.route("/", assetRoutes(deps));
  app.route("/", pageRoutes(deps));

  app.notFound((c) => problem(c, "not_found"));
  app.onError(answerError(log));
  return app;
}
