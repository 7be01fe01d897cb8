/** Time as the client sees it. The page passes the browser's, tests a hand-driven one. */

export interface Clock {
  /** What durations are measured with: milliseconds that pass evenly, whatever becomes of the time of day. */
  now(): number;
  /** The time of day, to show, to keep and to compare with the server's: milliseconds since the epoch. */
  date(): number;
  /** Runs something once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the machine this runs on. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  date: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
