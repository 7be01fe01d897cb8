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

/**
 * What a limit says of one more message: it is counted and may be taken back, or the window is full,
 * or the user is muted, until then in milliseconds.
 */
export type Taken =
  | { kind: "free"; takeBack: () => void }
  | { kind: "full" }
  | { kind: "muted"; until: number };

/** The end of a mute, in milliseconds, and whether it has just begun. */
export interface Mute {
  until: number;
  isNew: boolean;
}

/** Keys are free texts; ends of mutes are in milliseconds since 1970. */
export interface MessageLimit {
  /** Counts a message, if it may be sent. */
  take(key: string): Taken | Promise<Taken>;
  /** Mutes a key, unless it is muted. The window begins empty after it. */
  mute(key: string): Mute | Promise<Mute>;
}

/**
 * The limit of one process, measured with a clock that is never set. Ends of mutes are given by the time
 * of day.
 */
export function localRateLimit(
  limit: MessageRateLimit,
  { clock, steadyClock }: { clock: () => number; steadyClock: () => number },
): MessageLimit {
  const timeOfDay = (steady: number) =>
    Math.round(clock() + steady - steadyClock());
  return {
    take(key) {
      const taken = limit.take(key, steadyClock());
      return taken.kind === "muted"
        ? { kind: "muted", until: timeOfDay(taken.until) }
        : taken;
    },
    mute(key) {
      const { until, isNew } = limit.mute(key, steadyClock());
      return { until: timeOfDay(until), isNew };
    },
  };
}

/** Counts and mutes by key. Pure but for its memory; time comes in with each call, in milliseconds. */
export class MessageRateLimit {
  readonly #settings: RateLimitSettings;
  readonly #entries = new Map<string, Entry>();

  constructor(settings: RateLimitSettings) {
    this.#settings = settings;
  }

  take(key: string, now: number): Taken {
    let entry = this.#current(key, now);
    if (entry === undefined) {
      this.#entries.set(key, entry = { times: [], mutedUntil: 0 });
    }
    const { times, mutedUntil } = entry;
    if (mutedUntil > now) return { kind: "muted", until: mutedUntil };
    if (times.length >= this.#settings.messages) return { kind: "full" };
    times.push(now);
    return {
      kind: "free",
      takeBack() {
        const index = times.lastIndexOf(now);
        if (index >= 0) times.splice(index, 1);
      },
    };
  }

  mute(key: string, now: number): Mute {
    const mutedUntil = this.#current(key, now)?.mutedUntil ?? 0;
    if (mutedUntil > now) return { until: mutedUntil, isNew: false };
    const until = now + this.#settings.muteMs;
    this.#entries.set(key, { times: [], mutedUntil: until });
    return { until, isNew: true };
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
