/**
 * What joins the processes of one chat. PostgreSQL keeps what was said; the broker tells the other
 * processes at once, and holds what they share for a while: limits, mutes, who is online. It may lose
 * anything at any moment (see `reconciler.ts` for what makes up for it).
 */

import type { Message, ServerEvent, UserRef } from "../protocol/protocol.ts";

/** A room, for processes with at least one subscriber of it; a user, for processes with one of their connections. */
export type Channel =
  | `room:${string}`
  | `user:${string}`
  | `process:${string}`
  | "presence";

/** What one process tells the others. */
export type Signal =
  /** Messages of a room, committed, in order of `seq`. */
  | { kind: "messages"; roomId: string; messages: readonly Message[] }
  /** Somebody has come into a room or gone: for its subscribers. */
  | { kind: "announcement"; event: RoomSystem }
  /** Typing marks of a room that were set or ended. */
  | { kind: "typing"; roomId: string; changes: readonly TypingChange[] }
  /** A membership has begun or ended. */
  | { kind: "membership"; change: MembershipChange }
  /** An event for all sockets of a user. */
  | { kind: "event"; userId: string; event: ServerEvent }
  /** Sessions of a user have ended; all of them, when none is named. */
  | { kind: "sign_out"; userId: string; sessionIds?: readonly string[] }
  /** Users of one process that came online or went offline since its last number. */
  | { kind: "presence"; from: string; number: number; changes: PresenceChanges }
  /** A process is alive and has told of everything up to this number. */
  | { kind: "alive"; from: string; number: number }
  /** A process has begun to listen. */
  | { kind: "hello" }
  /** A process ends. */
  | { kind: "goodbye"; from: string }
  /** A frame that was posted here for an event stream that is open elsewhere. */
  | { kind: "frame"; frame: ForwardedFrame }
  /** What became of it. */
  | { kind: "frame_answer"; id: string; result: FrameResult };

export type RoomSystem = ServerEvent & { event: "room:system" };

export interface TypingChange {
  user: UserRef;
  isTyping: boolean;
}

export interface MembershipChange {
  user: UserRef;
  roomId: string;
  isMember: boolean;
  /** When it was changed, ISO 8601. */
  at: string;
  /** Whether the rooms' subscribers have been told already. */
  isAnnounced: boolean;
}

export interface PresenceChanges {
  online: readonly string[];
  offline: readonly string[];
}

export interface ForwardedFrame {
  id: string;
  /** The process that waits for the answer. */
  from: string;
  connectionId: string;
  userId: string;
  text: string;
}

export type FrameResult = { answer: string | undefined } | "not_found";

/** What the owner of a broker hears. */
export interface BrokerListener {
  /** Another process has told something. */
  received(signal: Signal): void;
  /** The broker works, for the first time or again: what was told before may have been missed. */
  up(): void;
  /** The broker is away. */
  down(): void;
}

export interface Broker {
  /** Names this process among the others: twelve hexadecimal digits, as at the end of a UUID. */
  readonly processId: string;
  /** Whether others are told and heard at this moment; undefined when there are none to be. */
  readonly isUp: boolean | undefined;
  /** Says who listens. Once, before anything is subscribed to. */
  listen(listener: BrokerListener): void;
  /**
   * Hears a channel from now on.
   *
   * @returns resolves when nothing told from then on is missed, or when the broker is away;
   *   undefined when that is the case already
   */
  subscribe(channel: Channel): Promise<void> | undefined;
  unsubscribe(channel: Channel): void;
  /**
   * Tells the others, if it can be done.
   *
   * @returns by how many processes it was heard, this one included. Never rejects
   */
  publish(channel: Channel, signal: Signal): Promise<number>;
  /** What the processes share; undefined when there is but one. */
  readonly shared: SharedState | undefined;
  /** Ends it. Nothing is heard after that. */
  close(): Promise<void>;
}

/** Limits of an event: so many in a window. */
export interface WindowLimit {
  readonly limit: number;
  readonly windowMs: number;
}

export interface MessageWindow {
  readonly messages: number;
  readonly windowMs: number;
}

/**
 * Where a user stands in a room. `muted` carries the end of the mute in milliseconds since 1970, and how
 * many are left until then: the clocks of the processes differ.
 */
export type SharedLimitState =
  | { kind: "free" | "full" }
  | { kind: "muted"; until: number; leftMs: number };

/**
 * State of all processes together. Every promise rejects soon when the broker is away: then each
 * process is on its own. Keys are free texts.
 */
export interface SharedState {
  /** Counts a message under an id of its own, unless it is over the limit or the key is muted. */
  takeMessage(
    key: string,
    messageId: string,
    window: MessageWindow,
  ): Promise<SharedLimitState>;
  /** Takes a counted message back. */
  refundMessage(key: string, messageId: string): Promise<void>;
  /** Mutes a key, unless it is muted. The window begins empty after it. Times in milliseconds. */
  mute(key: string, muteMs: number): Promise<{ until: number; isNew: boolean }>;
  /** Counts an event. Undefined when it is within the limit, else the milliseconds to wait. */
  countEvent(key: string, limit: WindowLimit): Promise<number | undefined>;
  /** Takes a counted event back. */
  refundEvent(key: string): Promise<void>;
  /** Notes who is online by this process. The note fades when it is not kept alive. */
  noteOnline(changes: PresenceChanges): Promise<void>;
  /** Replaces the note as a whole. */
  replaceOnline(userIds: readonly string[]): Promise<void>;
  /** Keeps the note alive. @returns how many are in it: none, too, when it has faded */
  keepOnline(): Promise<number>;
  /** Who is online by a process. */
  listOnline(processId: string): Promise<string[]>;
  /**
   * Notes how many sockets of a user this process has. The note fades when it is not made again.
   *
   * @returns how many those of the other processes have noted together
   */
  noteSockets(
    userId: string,
    count: number,
    others: readonly string[],
  ): Promise<number>;
}
