/** The message limit of a user in a room: a sliding window, and a mute for who goes over it. */

export interface RateLimitSettings {
  /** Messages allowed in a window. */
  readonly messages: number;
  readonly windowMs: number;
  readonly muteMs: number;
}

interface Entry {
  /** Times of the messages that count, oldest first, in milliseconds. */
  times: number[];
  mutedUntil: number;
}

/** Where a user stands in a room. `muted` carries the end of the mute in milliseconds. */
export type LimitState = { kind: "free" } | { kind: "full" } | {
  kind: "muted";
  until: number;
};

/** Pure but for its memory; time comes in with each call, in milliseconds since 1970. */
export class MessageRateLimit {
  readonly #settings: RateLimitSettings;
  readonly #entries = new Map<string, Entry>();

  constructor(settings: RateLimitSettings) {
    this.#settings = settings;
  }

  /** Whether one more message may be sent. Changes nothing. */
  state(key: string, now: number): LimitState {
    const entry = this.#current(key, now);
    if (entry === undefined) return { kind: "free" };
    if (entry.mutedUntil > now) {
      return { kind: "muted", until: entry.mutedUntil };
    }
    return {
      kind: entry.times.length < this.#settings.messages ? "free" : "full",
    };
  }

  /** Counts a message. Returns a function that takes it back, for one that was not stored after all. */
  count(key: string, now: number): () => void {
    let entry = this.#current(key, now);
    if (entry === undefined) {
      this.#entries.set(key, entry = { times: [], mutedUntil: 0 });
    }
    const { times } = entry;
    times.push(now);
    return () => {
      const index = times.lastIndexOf(now);
      if (index >= 0) times.splice(index, 1);
    };
  }

  /** Mutes and returns the end of the mute in milliseconds. The window begins empty after it. */
  mute(key: string, now: number): number {
    const until = now + this.#settings.muteMs;
    this.#entries.set(key, { times: [], mutedUntil: until });
    return until;
  }

  /** Forgets what no longer matters, so that memory follows the users of the last window. */
  sweep(now: number): void {
    for (const key of this.#entries.keys()) this.#current(key, now);
  }

  /** Number of keys remembered. */
  get size(): number {
    return this.#entries.size;
  }

  #current(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const start = now - this.#settings.windowMs;
    const expired = entry.times.findIndex((time) => time > start);
    if (expired > 0) entry.times.splice(0, expired);
    else if (expired < 0) entry.times.length = 0;
    if (entry.times.length > 0 || entry.mutedUntil > now) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
