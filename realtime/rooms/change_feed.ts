import { changeFrames } from "../connection/frames.ts";
import { quoteOf } from "../messages/message_view.ts";
import { paceOf } from "../presence/pace.ts";
import type { Message, RoomChanges } from "../protocol/protocol.ts";
import { RecentMap } from "../recent_map.ts";
import type { Timers } from "../timers.ts";
import type { Subscribers } from "./subscribers.ts";
import type { Subscription } from "./subscription.ts";

/** Most merged batches kept back for a subscriber that is catching up; past it the subscriber has to sync again. */
const MAX_HELD = 50;

/** Newest changed messages that are known here, for new messages that quote them or come after their change. */
const REMEMBERED_STATES = 200;

/** Changed messages read at once. */
const READ_PAGE = 100;

/** Wait before the next try when the database cannot be read, in milliseconds. */
const READ_RETRY_MS = 500;

/** What a room has changed after a `rev`: the newest change, and the messages in order of `rev`. */
export interface ChangedMessages {
  lastRev: number;
  messages: Message[];
}

export interface ChangeFeedOptions {
  roomId: string;
  /** Steady, in milliseconds. */
  clock: () => number;
  timers: Timers;
  /** Reads the room's changes after a `rev`. */
  readChanged: (
    roomId: string,
    afterRev: number,
    limit: number,
  ) => Promise<ChangedMessages>;
}

/**
 * The live feed of a room's changes: the first at once, those that follow quickly merged into the present
 * state of what has changed.
 *
 * Where another process was faster, or a write's answer was lost, this process does not have everything up
 * to a change that it learns of: then it reads what is missing from the database. So nothing is
 * believed that another process says but that there is something to read.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #subscribers: Subscribers;
  readonly #flushMessages: () => void;
  /** The room's newest `rev` as far as this feed knows; undefined until it has seen one. */
  #newest: number | undefined;
  /** The newest `rev` that was sent. */
  #sent = 0;
  /** Changed messages that wait to be sent, by `seq`. */
  #pending = new Map<number, Message>();
  readonly #states = new RecentMap<number, Message>(REMEMBERED_STATES);
  #flushedAt = -Infinity;
  #flushTimer: (() => void) | undefined;
  /** Changes after this one are to be read once more, whatever is known. */
  #unreadFrom = Infinity;
  #reading = false;
  #readWanted = false;

  /** @param flushMessages sends the new messages that wait: a change must not overtake its message */
  constructor(
    options: ChangeFeedOptions,
    subscribers: Subscribers,
    flushMessages: () => void,
  ) {
    this.#options = options;
    this.#subscribers = subscribers;
    this.#flushMessages = flushMessages;
  }

  /** Publishes changes that have been committed here. */
  publish({ prevRev, rev, messages }: RoomChanges): void {
    if (this.#subscribers.subscriberCount === 0) return;
    this.#knowFrom(prevRev);
    if (prevRev > this.#newest!) return this.mend();
    // A subscriber may have read it before it was published here, and another just before it was committed.
    this.#sent = Math.min(this.#sent, prevRev);
    this.#accept(messages, rev);
  }

  /** A change is known to be stored: when it has not been published here, it is read. */
  expect(rev: number): void {
    if (this.#newest === undefined || rev > this.#newest) this.#read();
  }

  /** Reads what was changed after the newest known change, for a room where a write may have been stored without being published. */
  mend(): void {
    this.#read();
  }

  /** A message in the newest state that has passed here: it may come later than its change, or than that of what it quotes. */
  present(message: Message): Message {
    const newer = this.#states.get(message.seq);
    const state = (newer?.rev ?? 0) > (message.rev ?? 0) ? newer! : message;
    const quoted = state.replyTo && this.#states.get(state.replyTo.seq);
    return quoted ? { ...state, replyTo: quoteOf(quoted) } : state;
  }

  /** Whether more was held back for the subscriber than could be. */
  hasGap({ changesOverflowed }: Subscription): boolean {
    return changesOverflowed;
  }

  /**
   * Lets a subscriber go live: what was held for it and is newer than what it has been given is sent.
   *
   * @param given.through the newest `seq` it was given before the messages that were held
   * @param given.rev every change up to this one was given
   * @param given.isPart more changes wait: the client asks for them
   * @param newestRead the room's newest `rev` as the catch-up has read it, if it has
   */
  release(
    subscription: Subscription,
    given: { through: number; rev: number; isPart?: boolean },
    newestRead?: number,
  ): void {
    const held = subscription.heldChanges ?? [];
    subscription.heldChanges = undefined;
    subscription.throughRev = given.rev;
    const messages = new Map<number, Message>();
    for (const message of held.flatMap((changes) => changes.messages)) {
      // One that was held back when it was new may have changed since.
      const isMissing = message.rev! > given.rev ||
        message.seq > given.through;
      if (isMissing) messages.set(message.seq, message);
    }
    if (messages.size > 0) {
      this.#send([subscription], {
        roomId: this.#options.roomId,
        prevRev: Math.max(given.rev, held[0]!.prevRev),
        rev: Math.max(given.rev, held.at(-1)!.rev),
        messages: [...messages.values()].sort(byRev),
      });
    }
    if (newestRead !== undefined) this.#knowFrom(newestRead);
    // Others have read, or were sent, what this one's reading was too early for.
    const reached = Math.max(given.rev, held.at(-1)?.rev ?? 0);
    if (!given.isPart && reached < this.#sent) {
      this.#readOn(reached);
    }
    if (this.#readWanted) this.#read();
  }

  /** The room has no subscriber left. */
  stop(): void {
    this.#flushTimer?.();
  }

  #knowFrom(rev: number): void {
    if (this.#newest !== undefined) return;
    this.#newest = rev;
    this.#sent = rev;
  }

  #accept(messages: readonly Message[], rev: number): void {
    for (const message of messages) {
      const { seq, rev = 0 } = message;
      // What is read once more is sent once more: someone has not had it.
      if ((this.#states.get(seq)?.rev ?? 0) > rev) continue;
      this.#states.set(seq, message);
      this.#pending.set(seq, message);
    }
    this.#newest = Math.max(this.#newest ?? 0, rev);
    const isDone = this.#pending.size === 0 && this.#newest === this.#sent;
    if (this.#flushTimer !== undefined || isDone) return;
    const { clock, timers } = this.#options;
    const pace = paceOf(this.#subscribers.subscriberCount);
    const wait = this.#flushedAt + pace - clock();
    if (wait <= 0) return this.#flush();
    this.#flushTimer = timers.after(wait, () => this.#flush());
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#flushedAt = this.#options.clock();
    this.#flushMessages();
    const messages = [...this.#pending.values()].sort(byRev);
    this.#pending.clear();
    const { roomId } = this.#options;
    const changes = {
      roomId,
      prevRev: this.#sent,
      rev: this.#newest!,
      messages,
    };
    this.#sent = changes.rev;
    this.#send(this.#subscribers.subscriptions(), changes);
  }

  #send(subscriptions: Iterable<Subscription>, changes: RoomChanges): void {
    const frames = changeFrames(changes);
    for (const subscription of subscriptions) {
      const { heldChanges } = subscription;
      if (heldChanges === undefined) {
        subscription.throughRev = Math.max(
          subscription.throughRev,
          changes.rev,
        );
        for (const frame of frames) subscription.connection.send(frame);
      } else if (heldChanges.length < MAX_HELD) heldChanges.push(changes);
      else subscription.changesOverflowed = true;
    }
  }

  /** Reads what was changed after the newest known change, until the database answers. */
  async #read(): Promise<void> {
    // A reading that has begun may be too early to find what this one is about.
    this.#readWanted = true;
    if (this.#newest === undefined || this.#reading) return;
    this.#reading = true;
    const { roomId, readChanged, timers } = this.#options;
    while (this.#readWanted && this.#subscribers.subscriberCount > 0) {
      this.#readWanted = false;
      const after = Math.min(this.#newest, this.#unreadFrom);
      this.#unreadFrom = Infinity;
      try {
        const { lastRev, messages } = await readChanged(
          roomId,
          after,
          READ_PAGE,
        );
        const isCut = messages.length === READ_PAGE;
        const reached = messages.at(-1)?.rev ?? after;
        if (isCut) this.#readOn(reached);
        this.#sent = Math.min(this.#sent, after);
        this.#accept(messages, isCut ? reached : Math.max(reached, lastRev));
      } catch {
        // The database is away: the failing query has been logged already.
        this.#readOn(after);
        await new Promise<void>((resolve) =>
          timers.after(READ_RETRY_MS, resolve)
        );
      }
    }
    this.#reading = false;
  }

  #readOn(after: number): void {
    this.#unreadFrom = Math.min(this.#unreadFrom, after);
    this.#readWanted = true;
  }
}

function byRev(a: Message, b: Message): number {
  return a.rev! - b.rev!;
}
