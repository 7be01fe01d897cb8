/**
 * A room's messages as this client holds them: one run of consecutive numbers, without a gap or a
 * repeat, however the network delivered them. The run is bounded: what is far from where the reader is
 * is dropped, and read again when it is scrolled to. So it may end before the newest message.
 */

import type { Message } from "../../../realtime/protocol/protocol.ts";
import type { MessagePage } from "../api.ts";
import { signalFields } from "../signal_fields.ts";

/** Most messages that wait for their predecessors; what comes then is asked for again. */
const MAX_HELD = 500;

/** A run that has grown above its limit is cut to this part of it: not at every message again. */
const KEPT_PART = 0.8;

export class RoomStore {
  /** Oldest first; `seq` goes up by one from each to the next. */
  messages: readonly Message[] = [];
  /** Whether the server holds messages before the first. */
  hasOlder: boolean;
  /** `seq` of the last message delivered in order. */
  position: number;
  /** Messages that came before their predecessors. */
  #held = new Map<number, Message>();
  /** Called with each message that comes, known or not. */
  onReceived: ((message: Message) => void) | undefined;

  /** @param position everything up to this `seq` counts as delivered */
  constructor(position: number) {
    this.position = position;
    this.hasOlder = position > 0;
    signalFields(this);
  }

  /** Something is missing: messages wait for their predecessors. */
  get hasGap(): boolean {
    return this.#held.size > 0;
  }

  /** Whether messages were delivered that come after the last of the run. */
  get hasNewer(): boolean {
    return (this.messages.at(-1)?.seq ?? this.position) < this.position;
  }

  /** Whether the run has the message with this number. */
  has(seq: number): boolean {
    return this.#at(seq) !== undefined;
  }

  /**
   * Takes a message from the live feed, a replay or an ack. The next number is delivered, with those
   * that waited for it; a later one is held; a known one is dropped.
   *
   * @returns what was delivered, in order; it is in the run, unless that ends earlier
   */
  receive(message: Message): Message[] {
    const { seq } = message;
    this.onReceived?.(message);
    if (seq <= this.position) return [];
    if (seq === this.position + 1 || this.#held.size < MAX_HELD) {
      this.#held.set(seq, message);
    }
    return this.#deliver();
  }

  /** Takes the newest page, when the room is opened: it goes before what the live feed brought. */
  load(page: MessagePage): Message[] {
    const newest = page.messages.at(-1);
    const first = this.messages[0];
    if (
      first === undefined || newest === undefined || newest.seq + 1 >= first.seq
    ) {
      this.prepend(page);
      return page.messages.flatMap((message) => this.receive(message));
    }
    return [];
  }

  /** Takes a page of history that ends where the run begins. */
  prepend({ messages, hasMore }: MessagePage): void {
    const end = this.messages[0]?.seq ?? this.position + 1;
    const older = messages.filter(({ seq }) => seq < end);
    this.messages = [...older, ...this.messages];
    this.hasOlder = hasMore;
  }

  /** Takes a page of history that begins where the run ends. */
  append({ messages }: MessagePage): void {
    const end = this.messages.at(-1)?.seq ?? 0;
    const newer = messages.filter(({ seq }) =>
      seq > end && seq <= this.position
    );
    this.messages = [...this.messages, ...newer];
  }

  /** Forgets everything: the server's history is not the one we knew. */
  reset(page: MessagePage): void {
    this.#held.clear();
    this.position = 0;
    this.skipTo(page, false);
  }

  /**
   * Goes on from the newest page without what lies between: too much was missed to replay it.
   *
   * @param keepsRun whether the run stays, because somebody reads it
   * @returns what was delivered after the page, in order
   */
  skipTo(page: MessagePage, keepsRun: boolean): Message[] {
    this.position = Math.max(
      this.position,
      page.messages.at(-1)?.seq ?? 0,
    );
    for (const seq of this.#held.keys()) {
      if (seq <= this.position) this.#held.delete(seq);
    }
    if (!keepsRun) this.show(page);
    return this.#deliver();
  }

  /** Puts a page in the place of the run. */
  show(page: MessagePage): void {
    this.messages = [];
    this.prepend(page);
  }

  /**
   * Drops what is far from the reader when the run is longer than `limit`.
   *
   * @param reading `seq` of the first message in the page; undefined when the end is read
   */
  trim(limit: number, reading: number | undefined): void {
    const { messages } = this;
    if (messages.length <= limit) return;
    const kept = Math.floor(limit * KEPT_PART);
    const last = messages.length - kept;
    const at = reading === undefined ? last : this.#indexOf(reading) - kept / 4;
    const start = Math.floor(Math.min(Math.max(0, at), last));
    this.messages = messages.slice(start, start + kept);
    this.hasOlder ||= start > 0;
  }

  /** Drops all messages; the position stays. */
  clear(): void {
    this.messages = [];
    this.hasOlder = this.position > 0;
  }

  #indexOf(seq: number): number {
    return seq - (this.messages[0]?.seq ?? 0);
  }

  #at(seq: number): Message | undefined {
    return this.messages[this.#indexOf(seq)];
  }

  #deliver(): Message[] {
    const delivered: Message[] = [];
    for (
      let next = this.#held.get(this.position + 1);
      next !== undefined;
      next = this.#held.get(this.position + 1)
    ) {
      this.#held.delete(next.seq);
      if (!this.hasNewer) this.messages = [...this.messages, next];
      // The position moves after the message is in place: never past one we do not have.
      this.position = next.seq;
      delivered.push(next);
    }
    return delivered;
  }
}
