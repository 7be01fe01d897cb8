/** Everything the client knows about one of the user's rooms. */

import type {
  MessageNew,
  RoomRoster,
  UserRef,
} from "../../realtime/protocol.ts";
import type { MessagePage, Room } from "./api.ts";
import type { Clock } from "./clock.ts";
import { RoomStore } from "./room_store.ts";
import { TypingMarks } from "./typing.ts";

/** So many join and leave lines are kept a room. */
const MAX_NOTICES = 30;

/** The times of so many messages that were sent are kept a room. */
const MAX_SENT_TIMES = 100;

/** "Ada joined", or that the history is another one: shown after the message with number `afterSeq`, gone after a reload. */
export interface Notice {
  readonly type: "join" | "leave" | "reset";
  readonly user: UserRef;
  readonly createdAt: string;
  readonly afterSeq: number;
}

export class RoomState {
  room: Room;
  readonly store: RoomStore;
  readonly typing: TypingMarks;
  notices: readonly Notice[] = [];
  roster: RoomRoster | undefined;
  /** Messages of others the user has not read. */
  unread: number;
  /** Everything up to this `seq` was read, here or on another device. */
  readSeq: number;
  /** Orders the room list: higher is more recently active. */
  rank = 0;
  /** When we may write again, on our own clock in milliseconds; 0 when not muted. */
  mutedUntil = 0;
  /** When this page has sent its newest messages here, oldest first, on our own clock in milliseconds. */
  sentAt: readonly number[] = [];
  /** The newest page of history is there. */
  isLoaded = false;
  /** A page of history is on its way. */
  isLoading = false;
  /** The last attempt to load history failed: the problem's code. */
  loadError: string | undefined;

  constructor(room: Room, clock: Clock, onChange: () => void) {
    this.room = room;
    this.store = new RoomStore(room.lastSeq);
    this.typing = new TypingMarks(clock, onChange);
    this.unread = room.unreadCount ?? 0;
    this.readSeq = this.unread === 0 ? room.lastSeq : 0;
  }

  /** Takes over what the server says of the room; its count of unread messages ends with its `lastSeq`. */
  update(room: Room, me: UserRef): void {
    this.room = room;
    const { lastSeq, unreadCount } = room;
    // What was read here last may not have reached the server when it counted.
    if (unreadCount === undefined || lastSeq <= this.readSeq) return;
    if (unreadCount === 0) return this.read(lastSeq, me);
    this.unread = Math.min(unreadCount, lastSeq - this.readSeq) +
      this.#heldAfter(lastSeq, me);
  }

  /** Takes the newest page of history. */
  load(page: MessagePage): MessageNew[] {
    const appended = this.store.load(page);
    this.isLoaded = true;
    return appended;
  }

  /** Takes a message, wherever it came from. Returns those that are now in place, in order. */
  receive(message: MessageNew, me: UserRef): MessageNew[] {
    const appended = this.store.receive(message);
    for (const { sender, seq } of appended) {
      this.typing.set(sender, false);
      if (sender.id !== me.id && seq > this.readSeq) this.unread++;
    }
    return appended;
  }

  /** The room was read up to `seq`, here or elsewhere. */
  read(seq: number, me: UserRef): void {
    if (seq <= this.readSeq) return;
    this.readSeq = seq;
    const known = this.#heldAfter(seq, me);
    const first = this.store.messages[0]?.seq ?? this.store.position + 1;
    // What lies before the messages we hold can only shrink the count, never grow it.
    this.unread = first > seq + 1
      ? Math.min(this.unread, known + first - seq - 1)
      : known;
  }

  /** Messages of others that we hold after `seq`. */
  #heldAfter(after: number, me: UserRef): number {
    return this.store.messages.filter(({ seq, sender }) =>
      seq > after && sender.id !== me.id
    ).length;
  }

  /** The oldest unread message we hold: where the "new" line belongs. */
  firstUnreadSeq(me: UserRef): number | undefined {
    let left = this.unread;
    if (left === 0) return undefined;
    const { messages } = this.store;
    for (let index = messages.length - 1; index >= 0; index--) {
      const message = messages[index];
      if (message && message.sender.id !== me.id && --left === 0) {
        return message.seq;
      }
    }
    return messages[0]?.seq;
  }

  /** The server has taken a message of this page, and counts it. */
  sent(now: number): void {
    this.sentAt = [...this.sentAt, now].slice(-MAX_SENT_TIMES);
  }

  /** The server takes no messages until then; it counts anew after that. */
  mute(until: number): void {
    this.mutedUntil = until;
    this.sentAt = [];
  }

  /** Keeps a line about what has happened just now. */
  note({ type, user, createdAt }: Omit<Notice, "afterSeq">): void {
    const notice = { type, user, createdAt, afterSeq: this.store.position };
    this.notices = [...this.notices, notice].slice(-MAX_NOTICES);
  }
}
