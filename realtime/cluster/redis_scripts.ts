/**
 * What Redis does in one step. Times are those of the Redis server, so that all processes agree on
 * them; in milliseconds. The keys of one script share a hash tag, so that a cluster has them in one
 * place.
 */

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Counts messages, each in a sliding window.
 *
 * KEYS: for each message its window (sorted set) and its mute. ARGV: window in ms, most messages, then
 * the id of each message. Returns for each [0 free and counted | 1 full | 2 muted], end of the mute,
 * ms until then.
 */
export const TAKE_MESSAGES = `${NOW}
  local answers = {}
  for i = 1, #ARGV - 2 do
    local window, mute = KEYS[2 * i - 1], KEYS[2 * i]
    local state, untilTime = 0, tonumber(redis.call('GET', mute) or '0')
    if untilTime > now then state = 2
    else
      redis.call('ZREMRANGEBYSCORE', window, '-inf', now - ARGV[1])
      if redis.call('ZCARD', window) >= tonumber(ARGV[2]) then state = 1
      else
        redis.call('ZADD', window, now, ARGV[i + 2])
        redis.call('PEXPIRE', window, ARGV[1])
      end
    end
    answers[3 * i - 2], answers[3 * i - 1], answers[3 * i] = state, untilTime, untilTime - now
  end
  return answers`;

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

/**
 * Notes who is online by a process.
 *
 * KEYS: set. ARGV: life of the note in ms, how many go offline, who goes offline, who comes online.
 */
export const NOTE_ONLINE = `
  local online = 3 + ARGV[2]
  for i = 3, online - 1 do redis.call('SREM', KEYS[1], ARGV[i]) end
  for i = online, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 0`;

/** Keeps the note. KEYS: set. ARGV: its life in ms. Returns how many are in it. */
export const KEEP_ONLINE = `
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return redis.call('SCARD', KEYS[1])`;

/** Replaces the note as a whole. KEYS: set. ARGV: its life in ms, who is online. */
export const REPLACE_ONLINE = `
  redis.call('DEL', KEYS[1])
  for i = 2, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 0`;

/**
 * Notes a count of this process and reads those of others.
 *
 * KEYS: the own note, the others'. ARGV: life of the note in ms, the count. Returns the others' sum.
 */
export const NOTE_COUNT = `
  if ARGV[2] == '0' then redis.call('DEL', KEYS[1])
  else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1]) end
  local sum = 0
  for i = 2, #KEYS do sum = sum + tonumber(redis.call('GET', KEYS[i]) or '0') end
  return sum`;
