import type { SharedState } from "./backbone/backbone.ts";
import type {
  MessageLimit,
  MessageRateLimit,
  Mute,
  RateLimitSettings,
  Taken,
} from "./rate_limit.ts";

/**
 * The message limit over all processes. While they share nothing, because the backbone is away, each
 * counts for itself: a chat that nobody can write in would be the worse failure.
 */
export function sharedRateLimit(
  shared: SharedState,
  settings: RateLimitSettings,
  local: MessageRateLimit,
): MessageLimit {
  // Unlike those of any other process, and short: they travel with every message.
  const idPrefix = crypto.randomUUID().slice(-12);
  let ids = 0;
  return {
    async take(key: string, now: number): Promise<Taken> {
      const messageId = `${idPrefix}${ids++}`;
      try {
        const state = await shared.takeMessage(key, messageId, settings);
        if (state.kind === "muted") return state;
        if (state.kind === "full") return { kind: "full" };
      } catch {
        return local.take(key, now);
      }
      const takeBack = () => {
        shared.refundMessage(key, messageId).catch(() => {});
      };
      return { kind: "free", takeBack };
    },
    async mute(key: string, now: number): Promise<Mute> {
      try {
        return await shared.mute(key, settings.muteMs);
      } catch {
        return local.mute(key, now);
      }
    },
  };
}
