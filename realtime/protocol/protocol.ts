/**
 * The realtime protocol: names, payload types, limits and close codes of `chatket.v1`.
 *
 * Pure data and types, because the browser bundles this file too. The server checks what it
 * receives with the schemas in `schemas.ts`, which are typed against the payloads here.
 */

/** The WebSocket subprotocol a client offers and the server chooses. */
export const SUBPROTOCOL = "chatket.v1";

/** A second subprotocol entry with this prefix carries the access token of a non-browser client. */
export const BEARER_PREFIX = "bearer.";

/**
 * A further subprotocol entry with this prefix names the user for whom a page was drawn. The socket
 * is closed with {@link CloseCode.otherUser} when the session is another user's.
 */
export const USER_PREFIX = "user.";

/**
 * Header with the id of the user for whom a page was drawn. In a request: it is answered 412 when its
 * session is another user's. In a page's answer: whose page it is.
 */
export const USER_HEADER = "x-chatket-user";

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

/** Why a socket was closed by the server. */
export const CloseCode = {
  unsupportedData: 1003,
  tooBig: 1009,
  restart: 1012,
  tokenExpired: 4401,
  removed: 4403,
  tooSlow: 4408,
  otherUser: 4412,
  tooManyFrames: 4429,
} as const;

export type CloseCode = typeof CloseCode[keyof typeof CloseCode];

/** Whether a client should connect again after this close code: not when it would be refused again. */
export function mayReconnect(code: number): boolean {
  return code !== CloseCode.tokenExpired && code !== CloseCode.removed &&
    code !== CloseCode.otherUser;
}

/** Codes of refused client events, as they stand in an ack or in an `error` event. */
export type RefusalCode =
  | "bad_request"
  | "unknown_event"
  | "not_a_member"
  | "room_not_found"
  | "muted"
  | "unavailable"
  | "internal";

export interface UserRef {
  id: string;
  username: string;
}

/** Where a client stands in a room. `lastSeq` wins over `lastSeenAt`. */
export interface RoomPosition {
  roomId: string;
  /** ISO 8601 time of the newest message seen. */
  lastSeenAt?: string | undefined;
  /** `seq` of the newest message seen; 0 asks for everything. */
  lastSeq?: number | undefined;
}

/** What a client may send: the event's name and its data. */
export interface ClientEvents {
  "rooms:sync": { rooms: RoomPosition[] };
  "room:join": RoomPosition;
  "room:leave": { roomId: string };
  "room:read": { roomId: string; lastSeq: number };
  "message:send": { roomId: string; text: string; clientMsgId: string };
  "typing:update": { roomId: string; isTyping: boolean };
  "presence:ping": { roomId?: string | undefined };
}

export type ClientEventName = keyof ClientEvents;

/** One client frame. `id` asks for an ack. */
export type ClientEnvelope = {
  [E in ClientEventName]: {
    id?: number | undefined;
    event: E;
    data: ClientEvents[E];
  };
}[ClientEventName];

/** One room's part of a `rooms:sync` ack. */
export interface SyncResult {
  roomId: string;
  /** False: the room does not exist or the caller is no member; nothing else is given then. */
  synced: boolean;
  messageCount?: number;
  /** True: more messages wait; sync again from `lastSeq`. */
  hasMore?: boolean;
  /** The position reached: everything up to this `seq` has been delivered. */
  lastSeq?: number;
  /**
   * True: what the room has does not join on to the client's position, because older messages were
   * removed or the database was set back. Forget what is held and load the newest page.
   */
  reset?: boolean;
}

/** What a successful ack carries beside `success: true`. */
export interface ClientAcks {
  "rooms:sync": { results: SyncResult[] };
  "room:join": {
    messageCount: number;
    hasMore: boolean;
    lastSeq: number;
    reset?: boolean;
  };
  "room:leave": Record<never, never>;
  "room:read": { lastSeq: number };
  "message:send": {
    messageId: string;
    seq: number;
    createdAt: string;
    isDuplicate?: boolean;
  };
  "typing:update": Record<never, never>;
  "presence:ping": Record<never, never>;
}

/** A refused event. `mutedUntil` (ISO 8601) is present with the code `muted`. */
export interface Refusal {
  success: false;
  error: string;
  code: RefusalCode;
  mutedUntil?: string;
}

export type AckData<E extends ClientEventName> =
  | ({ success: true } & ClientAcks[E])
  | Refusal;

export interface MessageNew {
  messageId: string;
  roomId: string;
  /** Numbers a room's messages 1, 2, 3 … without a gap, in the order of delivery. */
  seq: number;
  text: string;
  createdAt: string;
  clientMsgId: string;
  sender: UserRef;
}

export interface RosterUser extends UserRef {
  status: "online" | "offline";
}

export interface RoomRoster {
  roomId: string;
  /** Online users first; at most {@link MAX_ROSTER_USERS}. */
  users: RosterUser[];
  onlineCount: number;
  memberCount: number;
}

export type RoomSystem =
  | { type: "join" | "leave"; roomId: string; user: UserRef; createdAt: string }
  | {
    type: "muted";
    roomId: string;
    user: UserRef;
    createdAt: string;
    until: string;
  };

/** What a server may send. */
export interface ServerEvents {
  "message:new": MessageNew;
  "room:system": RoomSystem;
  "room:roster": RoomRoster;
  /** To the user's own sockets only: the room was read up to `lastSeq` on some device. */
  "room:read": { roomId: string; lastSeq: number };
  "typing:update": { roomId: string; user: UserRef; isTyping: boolean };
  error: { code: RefusalCode; message: string };
  /** First event of an event stream (`GET /api/events`). */
  hello: { connectionId: string };
}

export type ServerEventName = keyof ServerEvents;

export type ServerEvent = {
  [E in ServerEventName]: { event: E; data: ServerEvents[E] };
}[ServerEventName];

/** One server envelope: an event or an ack. A frame holds one, or an array of them. */
export type ServerEnvelope =
  | ServerEvent
  | { ack: number; data: { success: boolean; [key: string]: unknown } };

/** Length of a text in Unicode code points, the unit of {@link MAX_TEXT_LENGTH}. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
