/**
 * A room's messages as this client holds them: one run of consecutive numbers, without a gap or a
 * repeat, however the network delivered them. The run is bounded: what is far from where the reader is
 * is dropped, and read again when it is scrolled to. So it may end before the newest message.
 */

import type {
  Message,
  RoomChanges,
} from "../../../realtime/protocol/protocol.ts";
import { quoteOf } from "../../text/quotes.ts";
import type { MessagePage } from "../api.ts";
import { signalFields } from "../signal_fields.ts";

/** A part of a room's history without a gap, oldest first. */
export type Page =
  & Pick<MessagePage, "messages" | "hasMore">
  & Partial<Pick<MessagePage, "lastRev" | "epoch">>;

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
  /** `rev` of the newest change of the room that is taken over, or not wanted. */
  rev: number;
  /** Names the history that all of this is part of; empty while it is not known. */
  epoch: string;
  /** Some messages may be older than `rev` says, or changes are missing: the server is to be asked. */
  isStale = false;
  /** Messages that came before their predecessors. */
  #held = new Map<number, Message>();
  /** The newest `prevRev` of changes that came too early. */
  #ahead = 0;
  /** Called with each message that comes, known or not. */
  onReceived: ((message: Message) => void) | undefined;

  /**
   * @param position everything up to this `seq` counts as delivered
   * @param rev every change up to this one counts as taken over
   */
  constructor(position: number, rev = 0, epoch = "") {
    this.position = position;
    this.rev = rev;
    this.epoch = epoch;
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
    if (seq <= this.position) {
      // Sent again, in a state that we may not know.
      this.#take([message]);
      return [];
    }
    if (seq === this.position + 1 || this.#held.size < MAX_HELD) {
      this.#held.set(seq, message);
    }
    return this.#deliver();
  }

  /** Takes the newest page, when the room is opened: it goes before what the live feed brought. */
  load(page: Page): Message[] {
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

  /**
   * Takes changes, in the present state of what has changed. A message is replaced by a newer state only, so
   * that order and repeats do not matter.
   */
  change({ prevRev, rev, messages }: Omit<RoomChanges, "roomId">): void {
    this.#take(messages);
    if (prevRev <= this.rev) this.rev = Math.max(this.rev, rev);
    else {
      this.isStale = true;
      this.#ahead = Math.max(this.#ahead, prevRev);
    }
  }

  /**
   * The server has sent every change up to this one.
   *
   * @param since what it was asked for; undefined when no message was held, and none was sent
   */
  caughtUp(rev: number, since: number | undefined, epoch: string): void {
    this.epoch = epoch;
    // A page that came meanwhile may be older than what was asked for.
    const isOlder = since === undefined
      ? this.messages.length > 0 && this.rev < rev
      : this.rev < since;
    if (isOlder) {
      this.isStale = true;
      return;
    }
    this.rev = Math.max(this.rev, rev);
    // Changes that came too early are taken, but not what lies before them.
    this.isStale = this.#ahead > this.rev;
  }

  /** Takes a page of history that ends where the run begins. */
  prepend(page: Page): void {
    const { messages, hasMore } = page;
    this.#readAt(page);
    const end = this.messages[0]?.seq ?? this.position + 1;
    const older = messages.filter(({ seq }) => seq < end);
    this.messages = [...older, ...this.messages];
    this.hasOlder = hasMore;
  }

  /** Takes a page of history that begins where the run ends. */
  append(page: Page): void {
    const { messages } = page;
    this.#readAt(page);
    const end = this.messages.at(-1)?.seq ?? 0;
    const newer = messages.filter(({ seq }) =>
      seq > end && seq <= this.position
    );
    this.messages = [...this.messages, ...newer];
  }

  /** Forgets everything: the server's history is not the one we knew. */
  reset(page: Page): void {
    this.#held.clear();
    this.position = 0;
    this.rev = page.lastRev ?? 0;
    this.epoch = page.epoch ?? "";
    this.isStale = false;
    this.#ahead = 0;
    this.skipTo(page, false);
  }

  /**
   * Goes on from the newest page without what lies between: too much was missed to replay it.
   *
   * @param keepsRun whether the run stays, because somebody reads it
   * @returns what was delivered after the page, in order
   */
  skipTo(page: Page, keepsRun: boolean): Message[] {
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
  show(page: Page): void {
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

  /** What was changed between the reading of a page and `rev` may be missing from it. */
  #readAt({ lastRev = this.rev }: Page): void {
    if (lastRev >= this.rev) return;
    this.rev = lastRev;
    this.isStale = true;
  }

  #take(states: readonly Message[]): void {
    const changed = new Map(
      states.flatMap((state) => state.rev ? [[state.seq, state]] : []),
    );
    if (changed.size === 0) return;
    const present = (message: Message) => presentOf(message, changed);
    for (const [seq, message] of this.#held) {
      this.#held.set(seq, present(message));
    }
    const messages = this.messages.map(present);
    const isSame = messages.every((message, n) => message === this.messages[n]);
    if (!isSame) this.messages = messages;
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

/** A message in the newest of two states, with what it quotes as that is now; the same one where nothing has changed. */
function presentOf(
  message: Message,
  changed: ReadonlyMap<number, Message>,
): Message {
  const state = changed.get(message.seq);
  const newest = (state?.rev ?? 0) > (message.rev ?? 0) ? state! : message;
  const quoted = newest.replyTo && changed.get(newest.replyTo.seq);
  if (!quoted) return newest;
  return { ...newest, replyTo: quoteOf(quoted) };
}
