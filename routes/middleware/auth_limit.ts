/** How often one address, and anyone for one username, may try to sign in. */

import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import { problem } from "../problems.ts";
import { clientAddress } from "./client_address.ts";
import { WindowCounter } from "./window_counter.ts";

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
  readonly attempts: WindowCounter;
  readonly codeRequests: WindowCounter;
  readonly wrongCodes: WindowCounter;
  readonly codeMails: WindowCounter;
}

export function createAuthLimits(clock: () => number): AuthLimits {
  return {
    attempts: new WindowCounter(ATTEMPTS_PER_ADDRESS, clock),
    codeRequests: new WindowCounter(CODE_REQUESTS_PER_NAME, clock),
    wrongCodes: new WindowCounter(WRONG_CODES_PER_NAME, clock),
    codeMails: new WindowCounter(CODE_MAILS_PER_ADDRESS, clock),
  };
}

/** Counts a sign-in request under its address; one too many is a 429. */
export function limitAuthAttempts(
  limits: AuthLimits,
  config: Pick<Config, "authRateLimit" | "trustedProxyHops">,
): MiddlewareHandler {
  return async function authLimit(c, next) {
    if (config.authRateLimit && c.req.method === "POST") {
      const retryAfterMs = limits.attempts.consume(
        clientAddress(c, config.trustedProxyHops),
      );
      if (retryAfterMs !== undefined) {
        return problem(c, "too_many_requests", { retryAfterMs });
      }
    }
    return await next();
  };
}
