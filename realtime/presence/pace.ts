/** Least time between two rosters, or two batches of typing marks, of one room, in milliseconds. */
const MIN_INTERVAL_MS = 250;

/** Every subscriber makes the interval longer by this much, in milliseconds. */
const INTERVAL_PER_SUBSCRIBER_MS = 4;

/**
 * How long a room must wait between two broadcasts that only show its newest state. It grows with the
 * room: while n people arrive, each broadcast costs the number of those present, so with an interval
 * in proportion to that number all of them together cost in the order of n, not n².
 */
export function paceOf(subscribers: number): number {
  return Math.max(MIN_INTERVAL_MS, subscribers * INTERVAL_PER_SUBSCRIBER_MS);
}
