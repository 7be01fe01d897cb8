import type { ReadMarker } from "../../db/memberships.ts";
import type { Timers } from "../timers.ts";

/** Marks are stored this long after the first of them, in milliseconds: one statement for all. */
const STORE_DELAY_MS = 1_000;

export interface ReadMarkersOptions {
  store: (marks: readonly ReadMarker[]) => Promise<void>;
  clock: () => number;
  timers: Timers;
  /** Told when marks could not be stored. */
  fail: (error: unknown) => void;
}

/**
 * How far users have read. Marks are gathered in memory and stored together, so that reading and
 * writing messages never wait for them; what a crash loses is at most the last second of marks.
 */
export class ReadMarkers {
  readonly #options: ReadMarkersOptions;
  #marks = new Map<string, ReadMarker>();
  #timer: (() => void) | undefined;
  #storing: Promise<void> = Promise.resolve();

  constructor(options: ReadMarkersOptions) {
    this.#options = options;
  }

  /** The user has seen the room up to `seq`. An older mark than the one waiting is ignored. */
  mark(userId: string, roomId: string, seq: number): void {
    const key = `${userId}:${roomId}`;
    const waiting = this.#marks.get(key);
    if (waiting !== undefined && waiting.seq >= seq) return;
    this.#marks.set(key, {
      userId,
      roomId,
      seq,
      at: new Date(this.#options.clock()),
    });
    this.#timer ??= this.#options.timers.after(
      STORE_DELAY_MS,
      () => void this.flush(),
    );
  }

  /** Stores all marks that wait. Marks that could not be stored wait for the next time. Never rejects. */
  flush(): Promise<void> {
    this.#timer?.();
    this.#timer = undefined;
    return this.#storing = this.#storing.then(() => this.#store());
  }

  async #store(): Promise<void> {
    if (this.#marks.size === 0) return;
    const marks = this.#marks;
    this.#marks = new Map();
    try {
      await this.#options.store([...marks.values()]);
    } catch (error) {
      this.#options.fail(error);
      for (const { userId, roomId, seq } of marks.values()) {
        this.mark(userId, roomId, seq);
      }
    }
  }
}
