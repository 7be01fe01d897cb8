import type { SharedState } from "../cluster/broker.ts";
import type { Timers } from "../timers.ts";

/** What is noted fades after this time, in milliseconds: a process that was killed takes nothing back. */
export const NOTE_TTL_MS = 3_600_000;

/** All is noted anew this often, in milliseconds: long before it fades. */
const RENEW_INTERVAL_MS = NOTE_TTL_MS / 3;

export interface SharedSocketsOptions {
  /** What the processes share; undefined when there is but one. */
  shared: SharedState | undefined;
  /** The other processes that are alive. */
  others: () => string[];
  /** Sockets of a user here, also those that are not let in yet. */
  countHere: (userId: string) => number;
  maxSocketsPerUser: number;
  timers: Timers;
}

/**
 * A user's sockets over all processes. Each process notes how many it has and reads what the others have
 * noted; while they share nothing, because the broker is away, each counts for itself.
 */
export class SharedSockets {
  readonly #options: SharedSocketsOptions;
  /** Users of whom something is noted. */
  readonly #noted = new Set<string>();

  constructor(options: SharedSocketsOptions) {
    this.#options = options;
    if (options.shared !== undefined) this.#renewLater();
  }

  /** Whether a socket that is counted here is within the user's limit over all processes. */
  async hasPlace(userId: string): Promise<boolean> {
    const { shared, others, countHere, maxSocketsPerUser } = this.#options;
    if (shared === undefined) return true;
    const here = countHere(userId);
    this.#noted.add(userId);
    try {
      // First noted, then read: of two processes that do so at once, one sees the other's.
      const elsewhere = await shared.noteSockets(userId, here, others());
      return here + elsewhere <= maxSocketsPerUser;
    } catch {
      return true;
    }
  }

  /** A socket of the user is counted no more. */
  released(userId: string): void {
    if (this.#noted.has(userId)) void this.#note(userId);
  }

  /** Notes all anew: what the others read may be gone. */
  async noteAll(): Promise<void> {
    for (const userId of [...this.#noted]) {
      // With the next turn it is tried again.
      if (!await this.#note(userId)) return;
    }
  }

  async #note(userId: string): Promise<boolean> {
    const { shared, countHere } = this.#options;
    const here = countHere(userId);
    if (here === 0) this.#noted.delete(userId);
    try {
      await shared?.noteSockets(userId, here, []);
      return true;
    } catch {
      return false;
    }
  }

  #renewLater(): void {
    this.#options.timers.after(RENEW_INTERVAL_MS, () => {
      this.#renewLater();
      void this.noteAll();
    });
  }
}
