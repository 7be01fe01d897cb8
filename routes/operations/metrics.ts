/** `/metrics` for Prometheus: there for who brings the token, not there for anybody else. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { createHash, timingSafeEqual } from "node:crypto";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { problem } from "../problems.ts";

/** Mounted at the root. */
export function metricsRoutes(
  { config: { metricsToken }, metrics }: RouteDeps,
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.get("/metrics", async (c) => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "");
    if (metricsToken === undefined || !isSame(given?.[1] ?? "", metricsToken)) {
      return problem(c, "not_found");
    }
    return c.body(await metrics.text(), 200, {
      "content-type": metrics.contentType,
      "cache-control": "no-store",
    });
  });
  return app;
}

/** Compares digests, so that the time it takes reveals nothing of the token. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
