/** Lets only signed-in requests pass, each counted as a call of its user. */

import type { Context, MiddlewareHandler } from "hono";
import {
  isOtherUser,
  requestSession,
  type SessionFinder,
} from "../auth/session.ts";
import type { AppEnv } from "../deps.ts";
import { problem } from "../problems.ts";
import type { CallBudget } from "./call_budget.ts";

interface SessionRules {
  /** The answer to a request without a valid session. */
  readonly answerStranger: (c: Context<AppEnv>) => Response;
  /** Whether a request of a page is refused when its browser is signed in as another user since. */
  readonly checksPageUser: boolean;
}

const API_RULES: SessionRules = {
  answerStranger: (c) => problem(c, "unauthorized"),
  checksPageUser: true,
};

/**
 * The handlers after it find `c.var.session`.
 *
 * @param parts.callBudget counts the requests and refuses those that are too many; left out, none are
 */
export function requireSession(
  { findSession, callBudget }: {
    readonly findSession: SessionFinder;
    readonly callBudget?: CallBudget;
  },
  { answerStranger, checksPageUser }: SessionRules = API_RULES,
): MiddlewareHandler<AppEnv> {
  return async function requireSession(c, next) {
    // A guard of all that lies below an address has let it pass.
    if (c.get("session") !== undefined) return await next();
    const refusal = callBudget?.refuse(c);
    if (refusal !== undefined) return refusal;
    const session = await requestSession(c, findSession);
    if (session === undefined) return answerStranger(c);
    if (checksPageUser && isOtherUser(c, session.user.id)) {
      return problem(c, "other_user");
    }
    c.set("session", session);
    if (callBudget === undefined) return await next();
    return await callBudget.spend(c, session.user.id, next);
  };
}
