/** The system's time, which a test can move on in one step. */

import type { Timers } from "../../realtime/timers.ts";

export interface SkippingTime {
  readonly clock: () => number;
  readonly timers: Timers;
  /** Moves time on, or back. Resolves when what fell due by it has been run. */
  skip(ms: number): Promise<void>;
}

export function createSkippingTime(): SkippingTime {
  let offset = 0;
  const clock = () => Date.now() + offset;
  const waiting = new Set<
    { at: number; arm: () => void; ended: Promise<void> }
  >();
  return {
    clock,
    timers: {
      after(ms, run) {
        let handle: ReturnType<typeof setTimeout> | undefined;
        const end = Promise.withResolvers<void>();
        const timer = {
          at: clock() + ms,
          ended: end.promise,
          arm() {
            clearTimeout(handle);
            handle = setTimeout(() => {
              waiting.delete(timer);
              run();
              end.resolve();
            }, Math.max(0, timer.at - clock()));
          },
        };
        waiting.add(timer);
        timer.arm();
        return () => {
          clearTimeout(handle);
          waiting.delete(timer);
          end.resolve();
        };
      },
    },
    async skip(ms) {
      offset += ms;
      const now = clock();
      const all = [...waiting].sort((a, b) => a.at - b.at);
      for (const timer of all) timer.arm();
      for (const { at, ended } of all) if (at <= now) await ended;
    },
  };
}
