/** Who asks for a page, or sends a form of one. */

import type { MiddlewareHandler } from "hono";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { requestSession } from "../middleware/session.ts";

/**
 * Lets signed-in requests pass, counted as calls of their user: drawing a page takes longer than any
 * call of the API. Everybody else is led to sign in. What follows finds `c.var.session`.
 */
export function pageSession(
  { findSession, callBudget }: Pick<RouteDeps, "findSession" | "callBudget">,
): MiddlewareHandler<AppEnv> {
  return async function pageSession(c, next) {
    const refusal = callBudget.refuse(c);
    if (refusal !== undefined) return refusal;
    const session = await requestSession(c, findSession);
    if (session !== undefined) {
      c.set("session", session);
      return await callBudget.spend(c, session.user.id, next);
    }
    if (c.req.method === "POST") return c.redirect("/login", 303);
    const { path } = c.req;
    const comesBack = path === "/" ? "" : `?next=${encodeURIComponent(path)}`;
    return c.redirect(`/login${comesBack}`, 302);
  };
}
