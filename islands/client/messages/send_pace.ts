/** How near the user is to the server's message limit, from what this page has sent. */

/** So many messages a user may send to a room within a window. */
export interface MessageLimit {
  readonly messages: number;
  /** In milliseconds. */
  readonly windowMs: number;
}

/** So many messages before the limit the user is told, but for the last fifth of a small limit. */
const MAX_TOLD = 3;

export interface SendPace {
  /** Messages that may follow at once. */
  readonly left: number;
  /** How long until one more may be sent, in milliseconds. */
  readonly waitMs: number;
}

/**
 * What to tell the user about the limit; undefined while it is far.
 *
 * @param sentAt when messages were sent, oldest first, in milliseconds on the clock of `now`
 */
export function sendPace(
  sentAt: readonly number[],
  { messages, windowMs }: MessageLimit,
  now: number,
): SendPace | undefined {
  const counted = sentAt.filter((at) => at > now - windowMs);
  const left = messages - counted.length;
  if (left > Math.min(MAX_TOLD, messages / 5)) return undefined;
  const [oldest = now] = counted;
  return { left: Math.max(0, left), waitMs: oldest + windowMs - now };
}
