/** How often an address may try to sign in, and how many codes are made and mailed. */

import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import type { SharedState } from "../../realtime/cluster/broker.ts";
import { problem } from "../problems.ts";
import { clientAddress, clientNetwork } from "./client_address.ts";
import { type AttemptCounter, sharedWindow } from "./shared_window.ts";
import { WindowCounter, type WindowLimit } from "./window_counter.ts";

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

/** Of one address (IPv6: a /64): room for an office or a classroom behind one. */
const ATTEMPTS_PER_ADDRESS = { limit: 300, windowMs: 5 * MINUTE_MS };

/** Of one IPv6 /48, which one customer may be given whole; of an IPv4 address never reached. */
const ATTEMPTS_PER_NETWORK = { limit: 1_500, windowMs: 5 * MINUTE_MS };

/**
 * Wrong codes of one network, for any names: at this rate guessing one in a million takes years. Not
 * counted by name: an attacker could lock a user out then.
 */
const WRONG_CODES_PER_NETWORK = { limit: 30, windowMs: 60 * MINUTE_MS };

/**
 * Codes made for one name. One network cannot use up the limit of the user's own network; the limit of
 * all networks exists because each code allows five guesses.
 */
const CODES_PER_NAME_AND_NETWORK = { limit: 30, windowMs: QUARTER_MS };
const CODES_PER_NAME = { limit: 90, windowMs: QUARTER_MS };

/** Mails to the address of an account: those that one network asks for, and all. */
const OWN_MAILS_PER_NETWORK = { limit: 10, windowMs: QUARTER_MS };
const OWN_MAILS = { limit: 30, windowMs: QUARTER_MS };

/**
 * Mails to an address that is not known to be the user's: fewer, and counted apart from mails to the
 * accounts of that address, so that an attacker cannot use up its owner's limit.
 */
const CLAIM_MAILS_PER_NETWORK = { limit: 3, windowMs: QUARTER_MS };
const CLAIM_MAILS = { limit: 9, windowMs: QUARTER_MS };

export interface AuthLimits {
  readonly attempts: AttemptCounter;
  readonly networkAttempts: AttemptCounter;
  readonly wrongCodes: AttemptCounter;
  readonly codes: NetworkLimit;
  readonly ownMails: NetworkLimit;
  readonly claimMails: NetworkLimit;
}

/** Counts what is asked for under a key, of one network and of all. */
export interface NetworkLimit {
  /** Counts one. Undefined when it is within both limits, else the milliseconds to wait. */
  consume(key: string, network: string): Promise<number | undefined>;
}

/** Counts nothing and refuses nothing. */
const UNLIMITED: AttemptCounter = { consume: () => undefined, refund() {} };

/**
 * @param shared counts over all processes, where there are several
 * @param settings.authRateLimit false lifts the limits of addresses
 */
export function createAuthLimits(
  clock: () => number,
  shared: SharedState | undefined,
  settings: Pick<Config, "authRateLimit">,
): AuthLimits {
  const counter = (name: string, limit: WindowLimit) => {
    const local = new WindowCounter(limit, clock);
    return shared === undefined
      ? local
      : sharedWindow(shared, name, limit, local);
  };
  const ofAddress = (name: string, limit: WindowLimit) =>
    settings.authRateLimit ? counter(name, limit) : UNLIMITED;
  const ofNetworks = (
    name: string,
    one: WindowLimit,
    all: WindowLimit,
  ): NetworkLimit => {
    const ofOne = counter(`${name}OfNetwork`, one);
    const ofAll = counter(name, all);
    return {
      // One network's excess must not use up what all share.
      consume: async (key, network) =>
        await ofOne.consume(`${network} ${key}`) ?? await ofAll.consume(key),
    };
  };
  return {
    attempts: ofAddress("attempts", ATTEMPTS_PER_ADDRESS),
    networkAttempts: ofAddress("networkAttempts", ATTEMPTS_PER_NETWORK),
    wrongCodes: ofAddress("wrongCodes", WRONG_CODES_PER_NETWORK),
    codes: ofNetworks("codes", CODES_PER_NAME_AND_NETWORK, CODES_PER_NAME),
    ownMails: ofNetworks("ownMails", OWN_MAILS_PER_NETWORK, OWN_MAILS),
    claimMails: ofNetworks("claimMails", CLAIM_MAILS_PER_NETWORK, CLAIM_MAILS),
  };
}

/** Counts a sign-in request under its address and network; one too many is a 429. */
export function limitAuthAttempts(
  limits: AuthLimits,
  config: Pick<Config, "trustedProxyHops">,
): MiddlewareHandler {
  return async function authLimit(c, next) {
    if (c.req.method === "POST") {
      const hops = config.trustedProxyHops;
      const retryAfterMs =
        await limits.attempts.consume(clientAddress(c, hops)) ??
          await limits.networkAttempts.consume(clientNetwork(c, hops));
      if (retryAfterMs !== undefined) {
        return problem(c, "too_many_requests", { retryAfterMs });
      }
    }
    return await next();
  };
}
