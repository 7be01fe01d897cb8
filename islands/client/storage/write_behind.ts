import type { Clock } from "../clock.ts";

/** How long changes are gathered before they are written, in milliseconds. */
export const WRITE_DELAY_MS = 1_000;

/** Writes what changes often a short while after the first change, all in one. */
export class WriteBehind {
  readonly #clock: Clock;
  readonly #write: () => void;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, write: () => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Something changed: it is written within {@link WRITE_DELAY_MS}. */
  request(): void {
    this.#cancelTimer ??= this.#clock.after(
      WRITE_DELAY_MS,
      () => this.flush(),
    );
  }

  /** Writes at once what waits; nothing when nothing does. */
  flush(): void {
    if (this.#cancelTimer === undefined) return;
    this.cancel();
    this.#write();
  }

  /** What waits is not written. */
  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
