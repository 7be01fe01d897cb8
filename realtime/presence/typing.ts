import type { TypingChange } from "../cluster/broker.ts";
import type { Connection } from "../connection/connection.ts";
import { envelopesFrame } from "../connection/frames.ts";
import { TYPING_TIMEOUT_MS } from "../protocol/limits.ts";
import type { UserRef } from "../protocol/protocol.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Timers } from "../timers.ts";
import { paceOf } from "./pace.ts";

export interface TypingOptions {
  hub: Hub;
  /** Called with the changes by connections of this process, as often as a room's subscribers get them. */
  onChanged: (roomId: string, changes: readonly TypingChange[]) => void;
  clock: () => number;
  timers: Timers;
}

/** A user who is typing in a room. */
interface Mark {
  /** The socket it was set on; undefined: one of another process. */
  connection: Connection | undefined;
  cancelExpiry: () => void;
}

/** What a room's subscribers are yet to be told. */
interface Outgoing {
  changes: Map<string, TypingChange & { isOwn: boolean }>;
  sentAt: number;
  timer: (() => void) | undefined;
}

/**
 * Typing marks. A mark ends by itself {@link TYPING_TIMEOUT_MS} after its last refresh, with a sent
 * message, and with the socket that set it. In a busy room only the newest state of each user is
 * sent, seldom enough (see {@link paceOf}).
 */
export class Typing {
  readonly #marks = new Map<string, Map<string, Mark>>();
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #options: TypingOptions;

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** The user types, or has ceased to, on this connection. */
  set(connection: Connection, roomId: string, isTyping: boolean): void {
    const { user } = connection;
    if (isTyping) this.#set(user, roomId, connection);
    else this.clear(user, roomId);
  }

  /** Users of another process have begun or ceased to type. */
  changedElsewhere(roomId: string, changes: readonly TypingChange[]): void {
    for (const { user, isTyping } of changes) {
      if (isTyping) this.#set(user, roomId, undefined);
      else this.#clear(user, roomId, false);
    }
  }

  #set(
    user: UserRef,
    roomId: string,
    connection: Connection | undefined,
  ): void {
    let room = this.#marks.get(roomId);
    if (room === undefined) this.#marks.set(roomId, room = new Map());
    room.get(user.id)?.cancelExpiry();
    const cancelExpiry = this.#options.timers.after(
      TYPING_TIMEOUT_MS,
      () => this.clear(user, roomId),
    );
    room.set(user.id, { connection, cancelExpiry });
    this.#tell(roomId, user, true, connection !== undefined);
  }

  /** Ends the user's mark in a room, if there is one. */
  clear(user: UserRef, roomId: string): void {
    this.#clear(user, roomId, true);
  }

  #clear(user: UserRef, roomId: string, isOwn: boolean): void {
    const room = this.#marks.get(roomId);
    const mark = room?.get(user.id);
    if (room === undefined || mark === undefined) return;
    mark.cancelExpiry();
    room.delete(user.id);
    if (room.size === 0) this.#marks.delete(roomId);
    this.#tell(roomId, user, false, isOwn && mark.connection !== undefined);
  }

  /** Ends the marks that were set on a connection, in the rooms it subscribed to. */
  clearConnection(connection: Connection, roomIds: Iterable<string>): void {
    for (const roomId of roomIds) {
      const mark = this.#marks.get(roomId)?.get(connection.user.id);
      if (mark?.connection === connection) this.clear(connection.user, roomId);
    }
  }

  /** @param isOwn whether the other processes are to be told, too */
  #tell(
    roomId: string,
    user: UserRef,
    isTyping: boolean,
    isOwn: boolean,
  ): void {
    const { hub, clock, timers } = this.#options;
    const subscribers = hub.feed(roomId)?.subscriberCount ?? 0;
    let outgoing = this.#outgoing.get(roomId);
    if (outgoing === undefined) {
      outgoing = { changes: new Map(), sentAt: -Infinity, timer: undefined };
      this.#outgoing.set(roomId, outgoing);
    }
    outgoing.changes.set(user.id, { user, isTyping, isOwn });
    if (outgoing.timer !== undefined) return;
    const wait = outgoing.sentAt + paceOf(subscribers) - clock();
    if (wait <= 0) this.#flush(roomId, outgoing);
    else {outgoing.timer = timers.after(wait, () =>
        this.#flush(roomId, outgoing));}
  }

  #flush(roomId: string, outgoing: Outgoing): void {
    const changes = [...outgoing.changes.values()];
    outgoing.changes.clear();
    outgoing.sentAt = this.#options.clock();
    // Once more after a pause, to forget the room when it has become quiet.
    outgoing.timer = this.#options.timers.after(
      paceOf(this.#options.hub.feed(roomId)?.subscriberCount ?? 0),
      () => {
        outgoing.timer = undefined;
        if (outgoing.changes.size > 0) this.#flush(roomId, outgoing);
        else this.#outgoing.delete(roomId);
      },
    );
    const own = changes.filter(({ isOwn }) => isOwn);
    if (own.length > 0) this.#options.onChanged(roomId, own.map(plain));
    this.#send(roomId, changes.map(plain));
  }

  /** Everybody gets the same frame, but who is in it gets one without themself. */
  #send(roomId: string, changes: TypingChange[]): void {
    const feed = this.#options.hub.feed(roomId);
    if (feed === undefined || changes.length === 0) return;
    const typists = new Set(changes.map(({ user }) => user.id));
    const envelopes = changes.map((change) =>
      JSON.stringify({ event: "typing:update", data: { roomId, ...change } })
    );
    feed.broadcast(envelopesFrame(envelopes), typists);
    if (changes.length === 1) return;
    for (const userId of typists) {
      const others = envelopes.filter((_, index) =>
        changes[index]!.user.id !== userId
      );
      const frame = envelopesFrame(others);
      for (const connection of feed.connectionsOf(userId)) {
        connection.send(frame);
      }
    }
  }
}

function plain({ user, isTyping }: TypingChange): TypingChange {
  return { user, isTyping };
}
