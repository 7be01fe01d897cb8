import type { Clock } from "../../islands/client/clock.ts";

/**
 * A clock on which time passes faster: the browser's client waits seconds after each fault, and a run
 * would be spent waiting. What it does in which order stays the same.
 */
export function fastClock(factor: number): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * factor,
    date: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms / factor);
      return () => clearTimeout(timer);
    },
  };
}
