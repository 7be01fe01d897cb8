/** Deletes expired rows every hour, a batch at a time. */

import { sql } from "kysely";
import { errorFields, type Log } from "../log.ts";
import type { Database } from "./engine/database.ts";
import {
  removeEndedSessions,
  removeExpiredLoginCodes,
  removeOldMessages,
  removeUnusedNames,
} from "./retention.ts";

/** The first round comes soon after the start, further ones every hour; in milliseconds. */
const FIRST_ROUND_MS = 60_000;
const INTERVAL_MS = 3_600_000;

/** Rows removed in one statement, and the pause in which others have the database to themselves. */
const BATCH = 1_000;
const PAUSE_MS = 200;

const DAY_MS = 86_400_000;

export interface HousekeepingOptions {
  db: Database;
  /**
   * The database is the embedded one, which makes no checkpoint by itself while it runs: its
   * write-ahead log would grow, and with it the next start after a kill take longer, without end.
   */
  isEmbedded: boolean;
  /** Undefined keeps messages for ever. */
  messageRetentionDays: number | undefined;
  clock: () => number;
  /** Runs a function once after some milliseconds; what it returns calls that off. */
  after: (ms: number, run: () => void) => () => void;
  log: Log;
}

/** Begins the job. @returns ends it, once the statement on its way is done */
export function startHousekeeping(
  options: HousekeepingOptions,
): { stop(): Promise<void> } {
  const { after, log } = options;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = () => {};
  let wake = () => {};
  const pause = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
      cancel = after(PAUSE_MS, resolve);
    });
  const schedule = (ms: number) => {
    cancel = after(ms, () => {
      running = keepHouse(options, pause, () => stopped)
        .catch((error) => log.warn("housekeeping failed", errorFields(error)))
        .then(() => {
          if (!stopped) schedule(INTERVAL_MS);
        });
    });
  };
  schedule(FIRST_ROUND_MS);
  return {
    async stop() {
      stopped = true;
      cancel();
      wake();
      await running;
    },
  };
}

async function keepHouse(
  { db, isEmbedded, messageRetentionDays, clock, log }: HousekeepingOptions,
  pause: () => Promise<void>,
  isStopped: () => boolean,
): Promise<void> {
  if (isEmbedded) await sql`checkpoint`.execute(db);
  const now = clock();
  /** Repeats a deletion of at most BATCH rows until nothing is left. */
  const inBatches = async (removeSome: () => Promise<number>) => {
    let total = 0;
    while (!isStopped()) {
      const removed = await removeSome();
      total += removed;
      if (removed < BATCH) break;
      await pause();
    }
    return total;
  };
  const yesterday = new Date(now - DAY_MS);
  // A name's code has the time when it was last asked for: names are deleted first.
  const names = await inBatches(() => removeUnusedNames(db, yesterday, BATCH));
  if (names > 0) log.info("names without a sign-in removed", { names });
  await removeExpiredLoginCodes(db, yesterday);
  await removeEndedSessions(db, new Date(now));
  if (messageRetentionDays === undefined) return;
  const before = new Date(now - messageRetentionDays * DAY_MS);
  const messages = await inBatches(() => removeOldMessages(db, before, BATCH));
  if (messages > 0) log.info("old messages removed", { messages });
}
