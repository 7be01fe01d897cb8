/** Counts events per key in fixed windows, in bounded memory and without timers. */

import type { WindowLimit } from "../../realtime/cluster/broker.ts";

export type { WindowLimit };

/** Most keys one counter remembers; past it the oldest windows are forgotten first. */
const MAX_KEYS = 100_000;

interface Window {
  count: number;
  endsAt: number;
}

export class WindowCounter {
  readonly #limit: WindowLimit;
  readonly #clock: () => number;
  readonly #maxKeys: number;
  /** In the order in which the windows end, all being equally long. */
  readonly #windows = new Map<string, Window>();

  constructor(
    limit: WindowLimit,
    clock: () => number,
    maxKeys: number = MAX_KEYS,
  ) {
    this.#limit = limit;
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  /** Counts one event. Undefined when it is within the limit, else the milliseconds to wait. */
  consume(key: string): number | undefined {
    const now = this.#clock();
    const window = this.#window(key, now);
    if (window.count >= this.#limit.limit) return window.endsAt - now;
    window.count++;
    return undefined;
  }

  /** Takes back an event that turned out not to count. */
  refund(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.count > 0) window.count--;
  }

  get size(): number {
    return this.#windows.size;
  }

  #window(key: string, now: number): Window {
    this.#forget(now);
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    this.#windows.delete(key);
    const window = { count: 0, endsAt: now + this.#limit.windowMs };
    this.#windows.set(key, window);
    return window;
  }

  #forget(now: number): void {
    for (const [key, window] of this.#windows) {
      if (window.endsAt > now && this.#windows.size < this.#maxKeys) return;
      this.#windows.delete(key);
    }
  }
}
