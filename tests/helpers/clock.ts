/** Time in a test's hands. */

import type { Timers } from "../../realtime/timers.ts";

export interface FakeClock extends Timers {
  /** The fake time in milliseconds since 1970; pass it on as `clock`. */
  readonly now: () => number;
  /**
   * Moves time on and runs what falls due on the way, in order, each at its own moment. Between two
   * of them promises settle, so that a timer set by an awaited step is not missed.
   */
  advance(ms: number): Promise<void>;
  /** How many timers are waiting. */
  readonly waiting: number;
}

/** @param start the first moment, in milliseconds since 1970 */
export function createFakeClock(
  start = Date.UTC(2026, 2, 1, 12),
): FakeClock {
  let now = start;
  let order = 0;
  const timers = new Set<{ at: number; order: number; run: () => void }>();

  const nextDue = (end: number) =>
    [...timers].filter((timer) => timer.at <= end)
      .sort((a, b) => a.at - b.at || a.order - b.order)[0];

  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + Math.max(0, ms), order: order++, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let due = nextDue(end); due !== undefined; due = nextDue(end)) {
        timers.delete(due);
        now = due.at;
        due.run();
        await settle();
      }
      now = end;
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** Lets promises that are ready run, and those that become ready by it. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
