/** Everything the client knows about one of the user's rooms, as signals. */

import type {
  Message,
  RoomChanges,
  RoomRoster,
  UserRef,
} from "../../../realtime/protocol/protocol.ts";
import type { Room } from "../api.ts";
import type { Clock } from "../clock.ts";
import { type Page, RoomStore } from "../messages/room_store.ts";
import { signalFields } from "../signal_fields.ts";
import { TypingMarks } from "../presence/typing.ts";

/** So many join and leave lines are kept a room. */
const MAX_NOTICES = 30;

/** The times of so many messages that were sent are kept a room. */
const MAX_SENT_TIMES = 100;

/** Most messages held of the room that is open, and of one that is not. */
const MAX_OPEN = 500;
const MAX_CLOSED = 50;

/** "Ada joined", or that the history is another one: shown after the message with number `afterSeq`, gone after a reload. */
export interface Notice {
  readonly type: "join" | "leave" | "reset";
  readonly user: UserRef;
  readonly createdAt: string;
  readonly afterSeq: number;
}

/** What the next text of the user is: an answer to a message, or its new text. */
export interface Composing {
  readonly kind: "reply" | "edit";
  readonly message: Message;
}

/** A message that is about to be deleted. */
export interface Deletion {
  readonly message: Message;
  readonly undo: () => void;
  /** Deletes it now. */
  readonly finish: () => void;
}

export class RoomState {
  room: Room;
  readonly store: RoomStore;
  readonly typing: TypingMarks;
  notices: readonly Notice[] = [];
  roster: RoomRoster | undefined;
  /** The room is in the page. */
  isOpen = false;
  /** `seq` of the first message in the page; undefined while the newest are shown. */
  reading: number | undefined;
  /** Messages of others the user has not read. */
  unread: number;
  /** Everything up to this `seq` was read, here or on another device. */
  readSeq: number;
  composing: Composing | undefined;
  deletion: Deletion | undefined;
  /** Why the last change of a message was not done: the refusal's code. */
  changeFault: string | undefined;
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

  constructor(room: Room, clock: Clock) {
    this.room = room;
    this.store = new RoomStore(room.lastSeq, room.lastRev, room.epoch);
    this.typing = new TypingMarks(clock);
    this.unread = room.unreadCount ?? 0;
    this.readSeq = room.lastReadSeq ?? room.lastSeq;
    signalFields(this);
  }

  /** Takes over what the server says of the room. */
  update(room: Room, me: UserRef): void {
    this.room = room;
    // What was read here last may not have reached the server when it counted: that changes nothing.
    this.read(room.lastReadSeq ?? 0, me);
  }

  /** Takes the newest page of history. */
  load(page: Page): Message[] {
    const appended = this.store.load(page);
    this.isLoaded = true;
    return appended;
  }

  /**
   * Goes on from the newest page without the messages before it, of which too many were missed. Who
   * reads older messages goes on reading.
   *
   * @param room what the server says of the room, its unread messages among it
   */
  skipTo(page: Page, room: Room, me: UserRef): void {
    const newest = page.messages.at(-1)?.seq ?? 0;
    // Slow on its way: newer messages are in place already, which it would take away.
    if (newest < this.store.position) return;
    this.readSeq = Math.max(this.readSeq, room.lastReadSeq ?? 0);
    const delivered = this.store.skipTo(page, this.reading !== undefined);
    this.isLoaded = true;
    // Some may have been read here that had not been when the server counted.
    this.unread = Math.min(
      room.unreadCount ?? 0,
      Math.max(0, newest - this.readSeq),
    );
    this.#count(delivered, me);
  }

  /** The room is no longer in the page: few of its messages are kept, or none of an older part. */
  close(): void {
    this.isOpen = false;
    this.reading = undefined;
    this.composing = undefined;
    this.deletion?.finish();
    if (this.store.hasNewer) this.forget();
    else this.trim();
  }

  /** Drops the messages; they are read again when the room is opened. */
  forget(): void {
    this.store.clear();
    this.isLoaded = false;
  }

  /** Drops messages that are far from where the reader is when there are many. */
  trim(): void {
    this.store.trim(this.isOpen ? MAX_OPEN : MAX_CLOSED, this.reading);
  }

  /** Takes a message, wherever it came from. Returns those that are now in place, in order. */
  receive(message: Message, me: UserRef): Message[] {
    const delivered = this.store.receive(message);
    this.#count(delivered, me);
    this.trim();
    return delivered;
  }

  /** Takes changes of the room's messages. */
  change(changes: RoomChanges, me: UserRef): void {
    for (const { seq, rev = 0, sender, deletedAt } of changes.messages) {
      const isCounted = sender.id !== me.id && seq > this.readSeq &&
        rev > this.store.rev;
      if (deletedAt && isCounted) this.unread = Math.max(0, this.unread - 1);
    }
    this.store.change(changes);
  }

  /** The room was read up to `seq`, here or elsewhere. */
  read(seq: number, me: UserRef): void {
    if (seq <= this.readSeq) return;
    this.readSeq = seq;
    const { messages, position } = this.store;
    const after = messages.filter((message) => message.seq > seq);
    const known =
      after.filter(({ sender, deletedAt }) =>
        sender.id !== me.id && deletedAt === undefined
      ).length;
    // Of those that are not held it is not known whose they are: they can only shrink the count.
    const unknown = Math.max(0, position - seq) - after.length;
    this.unread = unknown > 0 ? Math.min(this.unread, known + unknown) : known;
  }

  /** The oldest unread message, held or not: where the "new" line belongs. */
  firstUnreadSeq(me: UserRef): number | undefined {
    if (this.unread === 0) return undefined;
    const next = this.readSeq + 1;
    if (!this.store.has(next)) return next;
    return this.store.messages.find(({ seq, sender }) =>
      seq >= next && sender.id !== me.id
    )?.seq;
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

  /** The time is over, unless it was made longer meanwhile. */
  unmute(now: number): void {
    if (now >= this.mutedUntil) this.mutedUntil = 0;
  }

  /** Keeps a line about what has happened just now. */
  note({ type, user, createdAt }: Omit<Notice, "afterSeq">): void {
    const notice = { type, user, createdAt, afterSeq: this.store.position };
    this.notices = [...this.notices, notice].slice(-MAX_NOTICES);
  }

  #count(delivered: readonly Message[], me: UserRef): void {
    for (const { sender, seq, deletedAt } of delivered) {
      this.typing.set(sender, false);
      const isRead = sender.id === me.id || seq <= this.readSeq ||
        deletedAt !== undefined;
      if (!isRead) this.unread++;
    }
  }
}
