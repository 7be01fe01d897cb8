import type { Hono, MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { AppEnv } from "../deps.ts";
import { problem } from "../problems.ts";

/** Tells an unknown address from one that does not know the method: 405, and 204 to OPTIONS. */
export function allowedMethods(app: Hono<AppEnv>): MiddlewareHandler<AppEnv> {
  return methodNotAllowed({
    app,
    onMethodNotAllowed(c, methods) {
      const headers = { allow: [...methods, "OPTIONS"].sort().join(", ") };
      // An honest answer to OPTIONS, without a word of CORS: other origins get nothing from it.
      return c.req.method === "OPTIONS"
        ? new Response(null, { status: 204, headers })
        : problem(c, "method_not_allowed", { headers });
    },
  });
}
