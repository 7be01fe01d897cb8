/** Knows when a running app has no work left that is due soon: no test needs to guess how long that takes. */

import { systemTimers, type Timers } from "../../realtime/timers.ts";

/**
 * Timers that wait less than this finish something that has begun: a group of messages, a paced roster,
 * a retry. Those that wait longer look after the app again and again. In milliseconds.
 */
const SHORT_MS = 1_000;

export interface WatchedTimers extends Timers {
  /** How many short timers are waiting. */
  readonly pending: number;
  /** Resolves when no short timer is waiting. */
  idle(): Promise<void>;
}

/** @param timers what really waits; the runtime's timers by default */
export function watchTimers(timers: Timers = systemTimers): WatchedTimers {
  const pending = new Set<symbol>();
  let change = Promise.withResolvers<void>();
  const end = (timer: symbol) => {
    if (!pending.delete(timer)) return;
    change.resolve();
    change = Promise.withResolvers();
  };
  return {
    after(ms, run) {
      if (ms >= SHORT_MS) return timers.after(ms, run);
      const timer = Symbol();
      pending.add(timer);
      const cancel = timers.after(ms, () => {
        try {
          run();
        } finally {
          end(timer);
        }
      });
      return () => {
        end(timer);
        cancel();
      };
    },
    get pending() {
      return pending.size;
    },
    async idle() {
      while (pending.size > 0) await change.promise;
    },
  };
}
