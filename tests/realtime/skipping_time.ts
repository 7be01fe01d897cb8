/** The system's time, which a test can move on in one step. */

import type { Timers } from "../../realtime/timers.ts";

export interface SkippingTime {
  readonly clock: () => number;
  readonly timers: Timers;
  /** Moves time on, or back; what falls due by it runs soon after. */
  skip(ms: number): void;
}

export function createSkippingTime(): SkippingTime {
  let offset = 0;
  const clock = () => Date.now() + offset;
  const waiting = new Set<{ at: number; arm: () => void }>();
  return {
    clock,
    timers: {
      after(ms, run) {
        let handle: ReturnType<typeof setTimeout> | undefined;
        const timer = {
          at: clock() + ms,
          arm() {
            clearTimeout(handle);
            handle = setTimeout(() => {
              waiting.delete(timer);
              run();
            }, Math.max(0, timer.at - clock()));
          },
        };
        waiting.add(timer);
        timer.arm();
        return () => {
          clearTimeout(handle);
          waiting.delete(timer);
        };
      },
    },
    skip(ms) {
      offset += ms;
      for (const timer of [...waiting].sort((a, b) => a.at - b.at)) timer.arm();
    },
  };
}
