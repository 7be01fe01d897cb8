import type { Timers } from "../timers.ts";

/** Answers later than this are not waited for, in milliseconds. */
const ANSWER_TIMEOUT_MS = 500;

export class RedisAwayError extends Error {
  override name = "RedisAwayError";
}

/**
 * Waits for answers, but not for long: a frozen server must not hold messages up. After a late answer
 * none is waited for until one has come again.
 */
export class AnswerWatch {
  readonly #timers: Timers;
  readonly #clock: () => number;
  /** In order of the deadline. */
  readonly #waiting = new Map<symbol, { deadline: number; giveUp(): void }>();
  #timer: (() => void) | undefined;
  #isLate = false;

  constructor(clock: () => number, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Whether answers have come in time lately. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** @throws {RedisAwayError} when the answer does not come in time; in the order of the calls */
  answer<T>(answer: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const key = Symbol();
    this.#waiting.set(key, {
      deadline: this.#clock() + ANSWER_TIMEOUT_MS,
      giveUp: () => reject(new RedisAwayError("no answer in time")),
    });
    answer.then((value) => {
      this.#waiting.delete(key);
      this.#isLate = false;
      resolve(value);
    }, (error) => {
      this.#waiting.delete(key);
      reject(error);
    });
    this.#timer ??= this.#timers.after(ANSWER_TIMEOUT_MS, () => this.#look());
    return promise;
  }

  stop(): void {
    this.#timer?.();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock();
    for (const [key, { deadline, giveUp }] of this.#waiting) {
      if (deadline > now) break;
      // Those behind it wait for the same server: none of them may be settled before the others.
      this.#isLate = true;
      this.#waiting.delete(key);
      giveUp();
    }
    if (this.#isLate) {
      for (const { giveUp } of this.#waiting.values()) giveUp();
      this.#waiting.clear();
    }
    if (this.#waiting.size > 0) {
      this.#timer = this.#timers.after(ANSWER_TIMEOUT_MS, () => this.#look());
    }
  }
}
