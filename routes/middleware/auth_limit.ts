/** How often one address, and anyone for one username, may try to sign in. */

import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import { problem } from "../problems.ts";
import { clientAddress } from "./client_address.ts";
import type { SharedState } from "../../realtime/backbone/backbone.ts";
import { type AttemptCounter, sharedWindow } from "./shared_window.ts";
import { WindowCounter, type WindowLimit } from "./window_counter.ts";

const MINUTE_MS = 60_000;

/** Of one address: room for an office or a classroom behind one, far from enough to guess codes. */
const ATTEMPTS_PER_ADDRESS = { limit: 300, windowMs: 5 * MINUTE_MS };

/** Of one name: each new code voids the one before, so a flood would lock its user out. */
const CODE_REQUESTS_PER_NAME = { limit: 30, windowMs: 15 * MINUTE_MS };

/**
 * Of one name, wrong codes: a code dies after five tries, so this is four codes an hour. At that
 * pace guessing one in a million takes years, from however many addresses.
 */
const WRONG_CODES_PER_NAME = { limit: 20, windowMs: 60 * MINUTE_MS };

/** To one address, under whatever names: nobody's mailbox is flooded from here. */
const CODE_MAILS_PER_ADDRESS = { limit: 10, windowMs: 15 * MINUTE_MS };

export interface AuthLimits {
  readonly attempts: AttemptCounter;
  readonly codeRequests: AttemptCounter;
  readonly wrongCodes: AttemptCounter;
  readonly codeMails: AttemptCounter;
}

/** @param shared counts over all processes, where there are several */
export function createAuthLimits(
  clock: () => number,
  shared: SharedState | undefined,
): AuthLimits {
  const counter = (name: string, limit: WindowLimit) => {
    const local = new WindowCounter(limit, clock);
    return shared === undefined
      ? local
      : sharedWindow(shared, name, limit, local);
  };
  return {
    attempts: counter("attempts", ATTEMPTS_PER_ADDRESS),
    codeRequests: counter("codeRequests", CODE_REQUESTS_PER_NAME),
    wrongCodes: counter("wrongCodes", WRONG_CODES_PER_NAME),
    codeMails: counter("codeMails", CODE_MAILS_PER_ADDRESS),
  };
}

/** Counts a sign-in request under its address; one too many is a 429. */
export function limitAuthAttempts(
  limits: AuthLimits,
  config: Pick<Config, "authRateLimit" | "trustedProxyHops">,
): MiddlewareHandler {
  return async function authLimit(c, next) {
    if (config.authRateLimit && c.req.method === "POST") {
      const retryAfterMs = await limits.attempts.consume(
        clientAddress(c, config.trustedProxyHops),
      );
      if (retryAfterMs !== undefined) {
        return problem(c, "too_many_requests", { retryAfterMs });
      }
    }
    return await next();
  };
}
