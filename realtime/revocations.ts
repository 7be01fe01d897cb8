/**
 * Closes connections of sessions that ended elsewhere: in another process, by hand in the database,
 * or here while the connection was being opened. What this process ends it closes at once, itself.
 */

import type { Timers } from "./timers.ts";

/** So long a connection may outlive a session that ended elsewhere, in milliseconds. */
export const REVOCATION_INTERVAL_MS = 3_000;

/** Ends are looked at again for this long: clocks differ, and a commit takes time. In milliseconds. */
const OVERLAP_MS = 30_000;

export interface RevocationOptions {
  listRevokedSince(since: Date): Promise<string[]>;
  /** Whether there is a connection to close at all. */
  isNeeded(): boolean;
  /** Whether to stop looking. */
  isDone(): boolean;
  closeSessions(ids: ReadonlySet<string>): void;
  clock: () => number;
  timers: Timers;
  fail(error: unknown): void;
}

/** Looks every few seconds. */
export function watchRevocations(options: RevocationOptions): void {
  const { clock, timers } = options;
  let lookedAt = clock();
  const look = async () => {
    const now = clock();
    if (options.isNeeded()) {
      try {
        const since = new Date(Math.min(lookedAt, now) - OVERLAP_MS);
        const ids = await options.listRevokedSince(since);
        if (ids.length > 0) options.closeSessions(new Set(ids));
        lookedAt = now;
      } catch (error) {
        // The same moment is asked for again when the database is back.
        options.fail(error);
      }
    }
    if (!options.isDone()) timers.after(REVOCATION_INTERVAL_MS, look);
  };
  timers.after(REVOCATION_INTERVAL_MS, look);
}
