/**
 * Closes connections of sessions that ended elsewhere: in another process, by hand in the database,
 * or here while the connection was being opened. What this process ends it closes at once, itself.
 * So it is with tokens that belong to no session and were ended by signing out everywhere.
 */

import type { TokensFrom } from "../../db/sessions.ts";
import type { Timers } from "../timers.ts";

/** So long a connection may outlive a session that ended elsewhere, in milliseconds. */
export const REVOCATION_INTERVAL_MS = 3_000;

/** Ends are looked at again for this long: a commit takes time. In milliseconds. */
const OVERLAP_MS = 30_000;

/** Most users in one statement. */
const AT_ONCE = 1_000;

export interface RevocationOptions {
  /** Sessions that ended in the last so many milliseconds. */
  listRevokedWithin(milliseconds: number): Promise<string[]>;
  /**
   * From when on tokens without a session count, of those of these users who have ended older ones.
   * Asked for users who have such a connection, not by time: they are few or none, and found by key.
   */
  listTokensFrom(userIds: readonly string[]): Promise<TokensFrom[]>;
  /** Users with a connection whose token belongs to no session. */
  usersWithoutSession(): ReadonlySet<string>;
  /** Whether there is a connection to close at all. */
  isNeeded(): boolean;
  /** Whether to stop looking. */
  isDone(): boolean;
  closeSessions(ids: ReadonlySet<string>): void;
  /** Closes a user's connections whose token belongs to no session and was made before the moment. */
  closeTokensBefore(userId: string, moment: Date): void;
  /** Measures how long ago was looked, in milliseconds; the moments are the database's. */
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
        const ids = await options.listRevokedWithin(
          now - lookedAt + OVERLAP_MS,
        );
        if (ids.length > 0) options.closeSessions(new Set(ids));
        lookedAt = now;
        await closeOldTokens(options);
      } catch (error) {
        // The same moment is asked for again when the database is back.
        options.fail(error);
      }
    }
    if (!options.isDone()) timers.after(REVOCATION_INTERVAL_MS, look);
  };
  timers.after(REVOCATION_INTERVAL_MS, look);
}

async function closeOldTokens(options: RevocationOptions): Promise<void> {
  const userIds = [...options.usersWithoutSession()];
  for (let start = 0; start < userIds.length; start += AT_ONCE) {
    const chunk = userIds.slice(start, start + AT_ONCE);
    for (const { userId, from } of await options.listTokensFrom(chunk)) {
      options.closeTokensBefore(userId, from);
    }
  }
}
