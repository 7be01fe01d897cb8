/** Limits and times of the protocol that server and browser share. Constants only. */

/** Longest message text, in Unicode code points after trimming. */
export const MAX_TEXT_LENGTH = 500;

/** Most messages one room replays in one `rooms:sync` or `room:join`. */
export const MAX_REPLAY = 100;

/** Most rooms in one `rooms:sync`. */
export const MAX_SYNC_ROOMS = 500;

/** Most users named in a `room:roster`; the counts beside them are exact. */
export const MAX_ROSTER_USERS = 200;

/** In a room with more subscribers than this, join and leave lines are left out. */
export const MAX_ANNOUNCED_SUBSCRIBERS = 200;

/** Largest client frame in bytes of UTF-8. */
export const MAX_FRAME_BYTES = 16 * 1024;

/** How often a client sends `presence:ping` while it is idle, in milliseconds. */
export const PING_INTERVAL_MS = 15_000;

/** A user is offline when none of their sockets has sent a frame or answered a ping for this long, in milliseconds. */
export const PRESENCE_TIMEOUT_MS = 30_000;

/** A typing mark ends by itself this long after its last refresh, in milliseconds. */
export const TYPING_TIMEOUT_MS = 5_000;

/** Most changed messages of one room in one `rooms:sync` or `room:join`. */
export const MAX_CHANGES = 100;

/** Most different emoji on one message. */
export const MAX_REACTION_EMOJI = 20;

/** Most pinned messages of one room. */
export const MAX_PINS = 100;

/** Changes that a user may make to the messages of a room within {@link CHANGE_WINDOW_MS}. */
export const MAX_CHANGES_PER_WINDOW = 20;

/** In milliseconds. */
export const CHANGE_WINDOW_MS = 10_000;
