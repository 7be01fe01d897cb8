/** Time as the client sees it. The page passes the browser's, tests a hand-driven one. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs something once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the machine this runs on. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
