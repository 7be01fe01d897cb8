/** The sliding window of the design, in memory: one entry per user and room. */

import process from "node:process";

const MAX_MESSAGES = Number(process.env.RATE_LIMIT_MESSAGES ?? 5);
const WINDOW_MS = Number(process.env.RATE_LIMIT_WINDOW_MS ?? 10_000);
const MUTE_MS = Number(process.env.RATE_LIMIT_MUTE_MS ?? 30_000);

const entries = new Map();

/** Undefined when the message may pass, else when the mute ends. */
export function checkAndRecord(userId, roomId) {
  const key = `${userId}:${roomId}`;
  const now = Date.now();
  let entry = entries.get(key);
  if (entry === undefined) {
    entries.set(key, entry = { timestamps: [], mutedUntil: undefined });
  }
  if (entry.mutedUntil !== undefined) {
    if (now < entry.mutedUntil) return new Date(entry.mutedUntil);
    entry.mutedUntil = undefined;
    entry.timestamps = [];
  }
  while (
    entry.timestamps.length > 0 && entry.timestamps[0] <= now - WINDOW_MS
  ) {
    entry.timestamps.shift();
  }
  if (entry.timestamps.length >= MAX_MESSAGES) {
    entry.mutedUntil = now + MUTE_MS;
    return new Date(entry.mutedUntil);
  }
  entry.timestamps.push(now);
  return undefined;
}
