/**
 * Joins the processes of one chat. PostgreSQL stores the messages; the broker publishes them to the other
 * processes and holds state that they share: limits, mutes, who is online. It may drop anything at any
 * moment; `reconciler.ts` finds what was dropped.
 */

import type { PresenceChanges, Signal } from "./signals.ts";

/** A room, for processes with at least one subscriber of it; a user, for processes with one of their connections. */
export type Channel =
  | `room:${string}`
  | `user:${string}`
  | `process:${string}`
  | "presence";

export type {
  ForwardedFrame,
  FrameResult,
  MembershipChange,
  PresenceChanges,
  RoomSystemEvent,
  Signal,
  TypingChange,
} from "./signals.ts";

/** Called by the broker. */
export interface BrokerListener {
  /** A signal of another process. */
  received(signal: Signal): void;
  /** The broker works, for the first time or again: earlier signals may have been missed. */
  up(): void;
  /** The broker is away. */
  down(): void;
}

export interface Broker {
  /** Names this process among the others: twelve hexadecimal digits, as at the end of a UUID. */
  readonly processId: string;
  /** Whether signals pass at this moment; undefined in a chat of one process. */
  readonly isUp: boolean | undefined;
  /** Sets the listener. Once, before anything is subscribed to. */
  listen(listener: BrokerListener): void;
  /**
   * Subscribes to a channel.
   *
   * @returns resolves when nothing published from then on is missed, or when the broker is away;
   *   undefined when that is the case already
   */
  subscribe(channel: Channel): Promise<void> | undefined;
  unsubscribe(channel: Channel): void;
  /**
   * Publishes to the other processes, if it can be done.
   *
   * @returns how many processes received it, this one included. Never rejects
   */
  publish(channel: Channel, signal: Signal): Promise<number>;
  /** What the processes share; undefined when there is but one. */
  readonly shared: SharedState | undefined;
  /** Ends it. The listener is not called after that. */
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
