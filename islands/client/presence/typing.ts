/** Who is typing, and telling others that we are. */

import { signal } from "@preact/signals";
import { TYPING_TIMEOUT_MS } from "../../../realtime/protocol/limits.ts";
import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import { isBlank } from "../../../text/blank.ts";
import type { Clock } from "../clock.ts";

/** While the user types, the mark is refreshed at most this often, in milliseconds. */
export const REFRESH_MS = 3_000;

/** The typing marks of one room. Each ends by itself, also when no end is ever announced. */
export class TypingMarks {
  readonly #clock: Clock;
  readonly #marks = new Map<string, { user: UserRef; cancel: () => void }>();
  readonly #names = signal<readonly string[]>([]);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Names of those who type now, the longest-typing first. */
  get names(): readonly string[] {
    return this.#names.value;
  }

  set(user: UserRef, isTyping: boolean): void {
    const had = this.#marks.get(user.id);
    had?.cancel();
    if (isTyping) {
      const cancel = this.#clock.after(
        TYPING_TIMEOUT_MS,
        () => this.set(user, false),
      );
      this.#marks.set(user.id, { user, cancel });
    } else this.#marks.delete(user.id);
    if ((had !== undefined) !== isTyping) this.#changed();
  }

  /** The line is down: nobody is known to type. */
  clear(): void {
    for (const { cancel } of this.#marks.values()) cancel();
    if (this.#marks.size === 0) return;
    this.#marks.clear();
    this.#changed();
  }

  #changed(): void {
    this.#names.value = [...this.#marks.values()].map(({ user }) =>
      user.username
    );
  }
}

/** Our own typing in one room, as announced to the others. */
export class TypingSignal {
  readonly #clock: Clock;
  readonly #announce: (isTyping: boolean) => void;
  #announcedAt = -Infinity;
  #cancelIdle = () => {};

  constructor(clock: Clock, announce: (isTyping: boolean) => void) {
    this.#clock = clock;
    this.#announce = announce;
  }

  /** The text changed. A blank box ends the mark; so does not typing for a while. */
  changed(text: string): void {
    if (isBlank(text)) return this.stop();
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.after(TYPING_TIMEOUT_MS, () => this.stop());
    if (this.#clock.now() - this.#announcedAt < REFRESH_MS) return;
    this.#announcedAt = this.#clock.now();
    this.#announce(true);
  }

  stop(): void {
    this.#cancelIdle();
    if (this.#announcedAt === -Infinity) return;
    this.#announcedAt = -Infinity;
    this.#announce(false);
  }
}
