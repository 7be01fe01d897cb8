import type { SharedState } from "../../realtime/cluster/broker.ts";
import type { WindowCounter, WindowLimit } from "./window_counter.ts";

/** Counts attempts by key. */
export interface AttemptCounter {
  /** Counts one. Undefined when it is within the limit, else the milliseconds to wait. */
  consume(key: string): number | undefined | Promise<number | undefined>;
  /** Takes one back that turned out not to count. */
  refund(key: string): void;
}

/** Counts over all processes; while they share nothing each counts for itself. */
export function sharedWindow(
  shared: SharedState,
  name: string,
  limit: WindowLimit,
  local: WindowCounter,
): AttemptCounter {
  return {
    async consume(key) {
      try {
        return await shared.countEvent(`${name}:${key}`, limit);
      } catch {
        return local.consume(key);
      }
    },
    refund(key) {
      shared.refundEvent(`${name}:${key}`).catch(() => local.refund(key));
    },
  };
}
