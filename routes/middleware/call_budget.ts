/** How much of the server one user may take up with calls of the API and with pages. */

import type { Context, Next } from "hono";
import type { SharedState } from "../../realtime/cluster/broker.ts";
import { RecentMap } from "../../realtime/recent_map.ts";
import { Turns } from "../../realtime/turns.ts";
import type { TokenClaims } from "../auth/access_tokens.ts";
import { requestToken } from "../auth/session.ts";
import { problem } from "../problems.ts";
import { WindowCounter } from "./window_counter.ts";

const WINDOW_MS = 60_000;

/**
 * Calls of one user that run at once; further ones wait. So the calls and messages of other users wait
 * for no more than these, however many one user sends. Rendering a page blocks the thread for 10 to
 * 25 ms: with two at once, other users waited for both.
 */
const CALLS_AT_ONCE = 1;

/** Users over their budget that are remembered. */
const MAX_REFUSED = 10_000;

export interface CallBudgetOptions {
  /** Calls of a user within a minute. */
  readonly perMinute: number;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
  /** Counts over all processes, where there are several. */
  readonly shared: Pick<SharedState, "countEvent"> | undefined;
  /** The claims of a token that is ours. */
  readonly peek: (token: string) => TokenClaims | undefined;
}

export class CallBudget {
  readonly #options: CallBudgetOptions;
  readonly #counter: WindowCounter;
  readonly #turns = new Turns(CALLS_AT_ONCE);
  /** When users who are over their budget may call again. */
  readonly #refused = new RecentMap<string, number>(MAX_REFUSED);
  /** When the last of them may. */
  #refusalsEndAt = -Infinity;

  constructor(options: CallBudgetOptions) {
    this.#options = options;
    const limit = { limit: options.perMinute, windowMs: WINDOW_MS };
    this.#counter = new WindowCounter(limit, options.clock);
  }

  /** Answers a call of a user who is known to be over the budget, before the database is asked. */
  refuse(c: Context): Response | undefined {
    // Reading a token costs a signature: skipped while no user is over the budget.
    if (this.#options.clock() >= this.#refusalsEndAt) return undefined;
    const carried = requestToken(c);
    const claims = carried && this.#options.peek(carried.token);
    const retryAfterMs = claims && this.#refusedFor(claims.userId);
    if (retryAfterMs === undefined) return undefined;
    return problem(c, "too_many_requests", { retryAfterMs });
  }

  /** Counts a call of the user and has it worked on when it is its turn, or answers that it is too many. */
  async spend(
    c: Context,
    userId: string,
    next: Next,
  ): Promise<Response | void> {
    const retryAfterMs = this.#refusedFor(userId) ?? this.#count(userId);
    if (retryAfterMs !== undefined) {
      return problem(c, "too_many_requests", { retryAfterMs });
    }
    await readBody(c);
    return await this.#turns.run(userId, next);
  }

  /** The milliseconds for which the user is refused; undefined for one who is not. */
  #refusedFor(userId: string): number | undefined {
    const left = (this.#refused.get(userId) ?? 0) - this.#options.clock();
    return left > 0 ? left : undefined;
  }

  /**
   * Counts a call, here at once and over all processes without waiting for it: what the others count
   * refuses the calls after this one.
   */
  #count(userId: string): number | undefined {
    const retryAfterMs = this.#counter.consume(userId);
    if (retryAfterMs !== undefined) this.#refuseFor(userId, retryAfterMs);
    else void this.#countShared(userId);
    return retryAfterMs;
  }

  async #countShared(userId: string): Promise<void> {
    const { shared, perMinute } = this.#options;
    const limit = { limit: perMinute, windowMs: WINDOW_MS };
    try {
      const retryAfterMs = await shared?.countEvent(`calls:${userId}`, limit);
      if (retryAfterMs !== undefined) this.#refuseFor(userId, retryAfterMs);
    } catch {
      // While the processes share nothing, each counts for itself.
    }
  }

  #refuseFor(userId: string, ms: number): void {
    const endsAt = this.#options.clock() + ms;
    this.#refused.set(userId, endsAt);
    this.#refusalsEndAt = Math.max(this.#refusalsEndAt, endsAt);
  }
}

/**
 * Reads the body before the request's turn: one that comes slowly, or never, must not hold up the
 * user's other calls. Hono keeps the body, or the failure to read it, for the handler.
 */
async function readBody(c: Context): Promise<void> {
  if (c.req.raw.body === null) return;
  try {
    await c.req.arrayBuffer();
  } catch {
    // The handler answers it, if it needs the body.
  }
}
