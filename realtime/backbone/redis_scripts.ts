/**
 * What Redis does in one step. Times are those of the Redis server, so that all processes agree on
 * them; in milliseconds. The two keys of one limit share a hash tag, so that a cluster has them in
 * one place.
 */

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Counts a message in a sliding window.
 *
 * KEYS: window (sorted set), mute. ARGV: window in ms, most messages, message id.
 * Returns [0 free and counted | 1 full | 2 muted, end of the mute].
 */
export const TAKE_MESSAGE = `${NOW}
  local muted = tonumber(redis.call('GET', KEYS[2]) or '0')
  if muted > now then return {2, muted} end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return {1, 0} end
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return {0, 0}`;

/**
 * Mutes, unless muted.
 *
 * KEYS: window, mute. ARGV: length in ms. Returns [end of the mute, 1 when it is new].
 */
export const MUTE = `${NOW}
  local muted = tonumber(redis.call('GET', KEYS[2]) or '0')
  if muted > now then return {muted, 0} end
  redis.call('DEL', KEYS[1])
  local untilTime = now + ARGV[1]
  if untilTime > now then redis.call('SET', KEYS[2], untilTime, 'PX', ARGV[1]) end
  return {untilTime, 1}`;

/**
 * Counts an event in a fixed window.
 *
 * KEYS: counter. ARGV: most events, window in ms. Returns 0, or the ms to wait.
 */
export const COUNT_EVENT = `
  local count = tonumber(redis.call('GET', KEYS[1]) or '0')
  if count >= tonumber(ARGV[1]) then return math.max(1, redis.call('PTTL', KEYS[1])) end
  if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 0`;

/** Takes a counted event back. KEYS: counter. */
export const REFUND_EVENT = `
  if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
  return 0`;
