import type { SharedState } from "../cluster/broker.ts";
import { RecentMap } from "../recent_map.ts";
import {
  localRateLimit,
  type MessageLimit,
  MessageRateLimit,
  type Mute,
  type RateLimitSettings,
  type Taken,
} from "./rate_limit.ts";

/** Newest mutes that are answered without asking the others again. */
const REMEMBERED_MUTES = 10_000;

/** A limit over all processes where there are several, and what is counted in this one. */
export function createLimit(
  settings: RateLimitSettings,
  shared: SharedState | undefined,
  clocks: { clock: () => number; steadyClock: () => number },
): { limit: MessageLimit; rateLimit: MessageRateLimit } {
  const rateLimit = new MessageRateLimit(settings);
  const own = localRateLimit(rateLimit, clocks);
  const limit = shared === undefined
    ? own
    : sharedRateLimit(shared, settings, own, clocks.steadyClock);
  return { limit, rateLimit };
}

/**
 * The message limit over all processes. While they share nothing, because the broker is away, each
 * counts for itself: a chat without posting would be the worse failure.
 *
 * @param steadyClock measures how long a mute is remembered here, in milliseconds
 */
export function sharedRateLimit(
  shared: SharedState,
  settings: RateLimitSettings,
  local: MessageLimit,
  steadyClock: () => number,
): MessageLimit {
  /** When mutes end: as all processes know it, and by the clock here. */
  const mutes = new RecentMap<string, { until: number; endsAt: number }>(
    REMEMBERED_MUTES,
  );
  // Unlike those of any other process, and short: they travel with every message.
  const idPrefix = crypto.randomUUID().slice(-12);
  let ids = 0;
  return {
    async take(key: string): Promise<Taken> {
      const askedAt = steadyClock();
      const mute = mutes.get(key);
      if (mute !== undefined && askedAt < mute.endsAt) {
        return { kind: "muted", until: mute.until };
      }
      const messageId = `${idPrefix}${ids++}`;
      try {
        const state = await shared.takeMessage(key, messageId, settings);
        if (state.kind === "muted") {
          const { until, leftMs } = state;
          // Counted from before the question: never muted for longer than the others say.
          mutes.set(key, { until, endsAt: askedAt + leftMs });
          return { kind: "muted", until };
        }
        if (state.kind === "full") return { kind: "full" };
      } catch {
        return local.take(key);
      }
      const takeBack = () => {
        shared.refundMessage(key, messageId).catch(() => {});
      };
      return { kind: "free", takeBack };
    },
    async mute(key: string): Promise<Mute> {
      try {
        return await shared.mute(key, settings.muteMs);
      } catch {
        return local.mute(key);
      }
    },
  };
}
