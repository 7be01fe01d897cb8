/** Who asks for a page, or sends a form of one. */

import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { requireSession } from "../middleware/require_session.ts";

/**
 * Lets signed-in requests pass, counted as calls of their user: drawing a page takes longer than any
 * call of the API. Everybody else is led to sign in.
 */
export function pageSession(
  deps: Pick<RouteDeps, "findSession" | "callBudget">,
): MiddlewareHandler<AppEnv> {
  return requireSession(deps, {
    answerStranger: leadToLogin,
    checksPageUser: false,
  });
}

function leadToLogin(c: Context): Response {
  if (c.req.method === "POST") return c.redirect("/login", 303);
  const { path } = c.req;
  const comesBack = path === "/" ? "" : `?next=${encodeURIComponent(path)}`;
  return c.redirect(`/login${comesBack}`, 302);
}
