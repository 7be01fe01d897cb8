/** How much of the server one user may take up with calls of the API and with pages. */

import type { Context, Next } from "hono";
import type { SharedState } from "../../realtime/backbone/backbone.ts";
import { RecentMap } from "../../realtime/recent_map.ts";
import { problem } from "../problems.ts";
import type { TokenClaims } from "../tokens.ts";
import { requestToken } from "./session.ts";
import { type AttemptCounter, sharedWindow } from "./shared_window.ts";
import { Turns } from "./turns.ts";
import { WindowCounter } from "./window_counter.ts";

const WINDOW_MS = 60_000;

/**
 * Calls of one user that are worked on at once; further ones wait. However many a user sends together,
 * the calls and messages of others wait for no more than these. Drawing a page keeps the one thread
 * there is for 10 to 25 ms: with two, what is measured beside it waited for both.
 */
const CALLS_AT_ONCE = 1;

/** Users over their budget that are remembered. */
const MAX_REFUSED = 10_000;

export class CallBudget {
  readonly #counter: AttemptCounter;
  readonly #clock: () => number;
  readonly #peek: (token: string) => TokenClaims | undefined;
  readonly #turns = new Turns(CALLS_AT_ONCE);
  /** When users who are over their budget may call again. */
  readonly #refused = new RecentMap<string, number>(MAX_REFUSED);

  /**
   * @param counter counts calls by user
   * @param clock milliseconds that pass evenly
   * @param peek the claims of a token that is ours
   */
  constructor(
    counter: AttemptCounter,
    clock: () => number,
    peek: (token: string) => TokenClaims | undefined,
  ) {
    this.#counter = counter;
    this.#clock = clock;
    this.#peek = peek;
  }

  /** Answers a call of a user who is known to be over the budget, before the database is asked. */
  refuse(c: Context): Response | undefined {
    const carried = requestToken(c);
    const claims = carried && this.#peek(carried.token);
    const until = claims && this.#refused.get(claims.userId);
    const retryAfterMs = (until ?? 0) - this.#clock();
    if (retryAfterMs <= 0) return undefined;
    return problem(c, "too_many_requests", { retryAfterMs });
  }

  /** Counts a call of the user and has it worked on when it is its turn, or answers that it is too many. */
  async spend(
    c: Context,
    userId: string,
    next: Next,
  ): Promise<Response | void> {
    const retryAfterMs = await this.#counter.consume(userId);
    if (retryAfterMs !== undefined) {
      this.#refused.set(userId, this.#clock() + retryAfterMs);
      return problem(c, "too_many_requests", { retryAfterMs });
    }
    await this.#turns.take(userId);
    try {
      return await next();
    } finally {
      this.#turns.give(userId);
    }
  }
}

/**
 * @param options.perMinute calls of a user within a minute
 * @param options.clock milliseconds that pass evenly
 * @param options.shared counts over all processes, where there are several
 * @param options.peek the claims of a token that is ours
 */
export function createCallBudget(
  { perMinute, clock, shared, peek }: {
    perMinute: number;
    clock: () => number;
    shared: SharedState | undefined;
    peek: (token: string) => TokenClaims | undefined;
  },
): CallBudget {
  const limit = { limit: perMinute, windowMs: WINDOW_MS };
  const local = new WindowCounter(limit, clock);
  const counter = shared === undefined
    ? local
    : sharedWindow(shared, "calls", limit, local);
  return new CallBudget(counter, clock, peek);
}
