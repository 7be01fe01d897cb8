/** How many connections to the database are in use at once, and who waits for one. */

import { UnavailableError } from "./errors.ts";

/** While the server has no room, one attempt is made each time this has passed, in milliseconds. */
const RETRY_MS = 100;

/** After a refusal the pool stays at the size that the server had room for, in milliseconds. */
const SHORT_MS = 5_000;

export interface GateOptions<Connection> {
  /** Connections at most. */
  readonly size: number;
  /** How long one is waited for, in milliseconds. */
  readonly waitMs: number;
  /** Lends an open connection or opens another one. */
  readonly open: () => Promise<Connection>;
  /** Whether an error says that the server has no room for another connection. */
  readonly isFull: (error: unknown) => boolean;
  /** Connections that are open or being opened, the idle ones too. */
  readonly count: () => number;
}

/**
 * Lends out connections in order. When the server has room for fewer than {@link GateOptions.size}
 * the gate makes do with those it has: the others wait for one of them, and fail only when none is
 * free in time.
 */
export class ConnectionGate<Connection> {
  readonly #options: GateOptions<Connection>;
  readonly #queue: { enter(): void }[] = [];
  /** How many may be in use now. */
  #limit: number;
  /** Until when the limit stays below the size. */
  #shortUntil = 0;
  #lent = 0;
  #opening = 0;
  #refusal: unknown;

  constructor(options: GateOptions<Connection>) {
    this.#options = options;
    this.#limit = options.size;
  }

  /** Calls that wait for a connection. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Resolves with a connection, to be given back with {@link release}.
   *
   * @throws what {@link GateOptions.open} throws, or an error when none was free in time
   */
  async acquire(): Promise<Connection> {
    const { open, isFull, waitMs, count } = this.#options;
    const deadline = performance.now() + waitMs;
    let isFirst = false;
    for (;;) {
      await this.#enter(deadline, isFirst);
      try {
        const connection = await open();
        this.#lent++;
        return connection;
      } catch (error) {
        if (!isFull(error) || performance.now() >= deadline) throw error;
        this.#refusal = error;
        this.#limit = Math.max(1, count());
        this.#shortUntil = performance.now() + SHORT_MS;
        // There is none that could be given back: another attempt is all that can be done.
        if (count() === 0) await pause(RETRY_MS);
      } finally {
        this.#opening--;
        this.#admit();
      }
      isFirst = true;
    }
  }

  /** Gives a connection back. */
  release(): void {
    this.#lent--;
    this.#admit();
  }

  /** Resolves when there is a place; it counts as `#opening` from then on. */
  #enter(deadline: number, isFirst: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#queue.splice(this.#queue.indexOf(waiter), 1);
      reject(
        this.#limit < this.#options.size
          ? this.#refusal
          : new UnavailableError("timeout when waiting for a connection"),
      );
    }, Math.max(0, deadline - performance.now()));
    const waiter = {
      enter: () => {
        clearTimeout(timer);
        this.#opening++;
        resolve();
      },
    };
    if (isFirst) this.#queue.unshift(waiter);
    else this.#queue.push(waiter);
    this.#admit();
    return promise;
  }

  #admit(): void {
    if (performance.now() >= this.#shortUntil) {
      this.#limit = this.#options.size;
    }
    while (this.#lent + this.#opening < this.#limit) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      next.enter();
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
