/** The one way this program waits, so that tests can hold the clock. */

export interface Timers {
  /** Runs a function once, `ms` milliseconds from now. Returns a function that calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** Timers of the runtime. */
export const systemTimers: Timers = {
  after(ms, run) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

/**
 * Milliseconds that pass evenly, whatever happens to the time of day: durations are measured with it.
 * They count from when the process started, which is at its place among the times of day.
 */
export const systemSteadyClock = (): number =>
  performance.timeOrigin + performance.now();

/** Timers that can all be called off at once; what is set after that never runs. */
export function stoppableTimers(timers: Timers): Timers & { stop(): void } {
  const pending = new Set<() => void>();
  let isStopped = false;
  return {
    after(ms, run) {
      if (isStopped) return () => {};
      const cancelTimer = timers.after(ms, () => {
        pending.delete(cancel);
        run();
      });
      const cancel = () => {
        pending.delete(cancel);
        cancelTimer();
      };
      pending.add(cancel);
      return cancel;
    },
    stop() {
      isStopped = true;
      for (const cancel of [...pending]) cancel();
    },
  };
}
