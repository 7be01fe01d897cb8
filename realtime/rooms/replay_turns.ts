import { RecentMap } from "../recent_map.ts";
import type { Timers } from "../timers.ts";
import { Turns } from "../turns.ts";

/** What a user may have read at once, in bytes: 100 rooms with 100 messages each, of usual length. */
export const REPLAY_BURST_BYTES = 4 * 1024 * 1024;

/** What a user may have read a second after that, in bytes. */
export const REPLAY_BYTES_PER_SECOND = 2 * 1024 * 1024;

/** Users whose budget is remembered, at least: those who read last. */
const REMEMBERED_USERS = 10_000;

/** What is left of a user's budget at a moment; below zero when the last reading was larger. */
interface Budget {
  bytes: number;
  at: number;
}

export interface ReplayTurnsOptions {
  clock: () => number;
  timers: Timers;
}

/**
 * Missed messages are read for one of a user's sockets after another, and no more of them than the
 * user's budget has: a few small frames can ask for very much.
 */
export class ReplayTurns {
  readonly #options: ReplayTurnsOptions;
  readonly #turns = new Turns(1);
  readonly #budgets = new RecentMap<string, Budget>(REMEMBERED_USERS);

  constructor(options: ReplayTurnsOptions) {
    this.#options = options;
  }

  /**
   * Reads when it is the user's turn.
   *
   * @param read gives what was read and its size in bytes; the turn ends with it
   * @returns what was read; rejects when `read` does
   */
  take<T>(
    userId: string,
    read: () => Promise<{ value: T; bytes: number }>,
  ): Promise<T> {
    return this.#turns.run(userId, async () => {
      await this.#affordable(userId);
      const { value, bytes } = await read();
      const left = this.#left(userId) - bytes;
      this.#budgets.set(userId, { bytes: left, at: this.#options.clock() });
      return value;
    });
  }

  async #affordable(userId: string): Promise<void> {
    const left = this.#left(userId);
    if (left > 0) return;
    const ms = Math.ceil(1 - left * 1000 / REPLAY_BYTES_PER_SECOND);
    await new Promise<void>((resolve) =>
      this.#options.timers.after(ms, resolve)
    );
  }

  #left(userId: string): number {
    const budget = this.#budgets.get(userId);
    if (budget === undefined) return REPLAY_BURST_BYTES;
    const passed = Math.max(0, this.#options.clock() - budget.at);
    return Math.min(
      REPLAY_BURST_BYTES,
      budget.bytes + passed * REPLAY_BYTES_PER_SECOND / 1000,
    );
  }
}
