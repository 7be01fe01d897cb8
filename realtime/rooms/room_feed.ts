import type { Connection } from "../connection/connection.ts";
import { messagesFrame } from "../connection/frames.ts";
import type { Message } from "../protocol/protocol.ts";
import { RecentMap } from "../recent_map.ts";
import { ChangeFeed, type ChangeFeedOptions } from "./change_feed.ts";
import { Subscribers } from "./subscribers.ts";
import type { Subscription } from "./subscription.ts";

/** While a room is busy its messages leave at most this often, in milliseconds. A quiet room waits for nothing. */
const GATHER_MS = 4;

/** Most messages in one frame. */
const MAX_FRAME_MESSAGES = 100;

/** Most live messages kept back for a subscriber that is catching up; past it the subscriber has to sync again. */
const MAX_HELD = 1_000;

/**
 * Where several processes write, a message may overtake the one before it by this much, in
 * milliseconds. Only then the database is asked for what is missing.
 */
const OVERTAKING_MS = 30;

/** Newest messages that are told apart from others of the same number. */
const REMEMBERED_IDS = 200;

/** Messages read at once when the feed mends a gap. */
const MEND_PAGE = 100;

/** Wait before the next try when the database cannot be read, in milliseconds. */
const MEND_RETRY_MS = 500;

export interface RoomFeedOptions extends ChangeFeedOptions {
  /** Whether other processes write in the room, too. */
  isShared: boolean;
  /** Reads the room's messages after a `seq`, oldest first. */
  readAfter: (
    roomId: string,
    afterSeq: number,
    limit: number,
  ) => Promise<Message[]>;
  /**
   * Called when a message was committed here under a number that is known already.
   *
   * @param known the room's newest `seq` until then; undefined when another message has the number
   */
  onContradiction?: (roomId: string, known: number | undefined) => void;
  /** Called with each frame of messages when it is in the subscribers' queues. */
  onDelivered?: (messages: readonly Message[], subscribers: number) => void;
}

/**
 * The live feed of one room: gives every new message to every subscriber, in order of `seq`, encoded once.
 *
 * When a message comes whose `seq` is not the next one, something was stored that was not published
 * here: a write whose answer was lost, or one of another process whose signal is late or was
 * dropped. The feed gives it a moment, then reads it from the database first.
 */
export class RoomFeed extends Subscribers {
  /** The feed of what has changed of the room's messages. */
  readonly changes: ChangeFeed;
  readonly #options: RoomFeedOptions;
  /** The room's newest `seq` as far as this feed knows; undefined until it has seen one. */
  #newest: number | undefined;
  /** The newest `seq` that has passed through this feed. */
  #delivered = 0;
  readonly #ids = new RecentMap<number, string>(REMEMBERED_IDS);
  #waiting: Message[] = [];
  #flushedAt = -Infinity;
  #flushTimer: (() => void) | undefined;
  #mending = false;
  #mendWanted = false;
  /** Messages behind a gap. */
  #backlog: Message[] = [];
  #overtakingTimer: (() => void) | undefined;

  constructor(options: RoomFeedOptions) {
    super();
    this.#options = options;
    this.changes = new ChangeFeed(options, this, () => this.#flushWaiting());
  }

  /** Whether messages between `through` and those held back for the subscriber are still to be read. */
  hasGap(subscription: Subscription, through: number): boolean {
    const next = subscription.held?.find((message) => message.seq > through);
    return subscription.overflowed ||
      (next !== undefined && next.seq > through + 1);
  }

  /**
   * Lets a subscriber go live: what was held for it and lies after `through` is sent now.
   *
   * @param through the newest `seq` it has been given
   * @param newestRead the room's newest `seq` as the catch-up has read it, if it has
   * @param changes the same of `rev`
   */
  release(
    subscription: Subscription,
    through: number,
    newestRead?: number,
    changes: { rev?: number; isPart?: boolean; newestRead?: number } = {},
  ): void {
    const held = subscription.held ?? [];
    subscription.held = undefined;
    subscription.admitted = true;
    subscription.through = through;
    this.#give(subscription, held);
    const given = { through, rev: subscription.throughRev, ...changes };
    this.changes.release(subscription, given, changes.newestRead);
    this.#newest ??= newestRead;
    if (this.#mendWanted) this.mend();
  }

  override remove(connection: Connection): boolean | undefined {
    const wasLast = super.remove(connection);
    if (this.subscriberCount === 0) {
      this.#flushTimer?.();
      this.#overtakingTimer?.();
      this.changes.stop();
    }
    return wasLast;
  }

  /** Publishes messages that have been committed here, in order of `seq`. */
  publishOwn(committed: readonly Message[]): void {
    this.#compare(committed);
    this.publish(committed);
  }

  /** A number that is known already may be one that was read before it was published: then the message is the same. */
  #compare(committed: readonly Message[]): void {
    const { roomId, onContradiction } = this.#options;
    const first = committed[0];
    const newest = this.#newest;
    if (first === undefined || newest === undefined || first.seq > newest) {
      return;
    }
    const known = this.#ids.get(first.seq);
    if (known === undefined) onContradiction?.(roomId, newest);
    else if (known !== first.messageId) onContradiction?.(roomId, undefined);
  }

  /** Publishes messages that have been committed, in order of `seq`. */
  publish(committed: readonly Message[]): void {
    if (this.subscriberCount === 0) return;
    if (this.#mending) {
      this.#backlog.push(...committed);
      return;
    }
    const messages = this.#backlog.length === 0
      ? committed
      : [...this.#backlog, ...committed].sort((a, b) => a.seq - b.seq);
    const gap = this.#indexOfGap(messages);
    this.#deliver(messages.slice(0, gap));
    this.#backlog = messages.slice(gap);
    if (this.#backlog.length === 0) {
      this.#overtakingTimer?.();
      this.#overtakingTimer = undefined;
    } else if (!this.#options.isShared) this.mend();
    else {
      this.#overtakingTimer ??= this.#options.timers.after(
        OVERTAKING_MS,
        () => {
          this.#overtakingTimer = undefined;
          if (this.#backlog.length > 0) this.mend();
        },
      );
    }
  }

  /** Takes messages that another process says it has committed. */
  receive(messages: readonly Message[]): void {
    // Before a number is known, any would count as the next one: what there is is read instead.
    if (this.#newest === undefined) this.#mendWanted = true;
    else this.publish(messages);
  }

  /** Index of the first message that is not the next one; their number when there is none. */
  #indexOfGap(messages: readonly Message[]): number {
    let newest = this.#newest;
    const index = messages.findIndex(({ seq }) => {
      if (newest !== undefined && seq > newest + 1) return true;
      newest = Math.max(newest ?? 0, seq);
      return false;
    });
    return index < 0 ? messages.length : index;
  }

  /**
   * Reads what was stored after the newest known message and delivers it. For a room where a write
   * may have been stored without being published. Goes on until the database answers or the
   * room has no subscriber left.
   */
  mend(): void {
    // A reading that has begun may be too early to find what this one is about.
    if (this.#newest === undefined || this.#mending) this.#mendWanted = true;
    else this.#readMissing(this.#newest);
  }

  /** The room's newest `seq` as far as it is known here. */
  get newest(): number {
    return this.#newest ?? 0;
  }

  /** A message is known to be stored: when it has not been published, the feed reads it. */
  expect(seq: number): void {
    if (this.#newest === undefined || seq > this.#newest) this.mend();
  }

  async #readMissing(after: number): Promise<void> {
    this.#mending = true;
    this.#mendWanted = false;
    const { roomId, readAfter, timers } = this.#options;
    const known = this.#backlog.at(-1)?.seq ?? 0;
    while (this.subscriberCount > 0) {
      try {
        const page = await readAfter(roomId, after, MEND_PAGE);
        this.#deliver(page);
        after = page.at(-1)?.seq ?? after;
        if (page.length < MEND_PAGE) break;
      } catch {
        // The database is away: the failing query has been logged already.
        await new Promise<void>((resolve) =>
          timers.after(MEND_RETRY_MS, resolve)
        );
      }
    }
    this.#mending = false;
    // What was told before the reading and is not in it is not stored: another may have made it up.
    const since = this.#backlog.filter(({ seq }) => seq > known);
    this.#backlog = [];
    this.publish(since);
    if (this.#mendWanted) this.mend();
  }

  #deliver(messages: readonly Message[]): void {
    const fresh = messages.filter((message) => message.seq > this.#delivered);
    if (fresh.length === 0 || this.subscriberCount === 0) return;
    this.#delivered = fresh.at(-1)!.seq;
    for (const { seq, messageId } of fresh) this.#ids.set(seq, messageId);
    this.#newest = Math.max(this.#newest ?? 0, this.#delivered);
    this.#waiting.push(...fresh.map((each) => this.changes.present(each)));
    if (this.#flushTimer !== undefined) return;
    const wait = this.#flushedAt + GATHER_MS - this.#options.clock();
    if (wait <= 0) return this.#flush();
    this.#flushTimer = this.#options.timers.after(wait, () => this.#flush());
  }

  /** Sends now what waits, if anything does. */
  #flushWaiting(): void {
    if (this.#waiting.length === 0) return;
    this.#flushTimer?.();
    this.#flush();
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#flushedAt = this.#options.clock();
    const messages = this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < messages.length; start += MAX_FRAME_MESSAGES) {
      this.#flushChunk(messages.slice(start, start + MAX_FRAME_MESSAGES));
    }
  }

  #flushChunk(messages: Message[]): void {
    const first = messages[0]!.seq;
    const frame = messagesFrame(messages);
    for (const subscription of this.subscriptions()) {
      if (subscription.held !== undefined) {
        if (subscription.held.length < MAX_HELD) {
          subscription.held.push(...messages);
        } else subscription.overflowed = true;
      } else if (subscription.through < first) {
        subscription.through = messages.at(-1)!.seq;
        subscription.connection.send(frame);
      } else {
        this.#give(subscription, messages);
      }
    }
    this.#options.onDelivered?.(messages, this.subscriberCount);
  }

  /** Sends one subscriber what it does not have yet. */
  #give(subscription: Subscription, messages: readonly Message[]): void {
    const missing = messages.filter((message) =>
      message.seq > subscription.through
    );
    if (missing.length === 0) return;
    subscription.through = missing.at(-1)!.seq;
    for (let start = 0; start < missing.length; start += MAX_FRAME_MESSAGES) {
      subscription.connection.send(
        messagesFrame(missing.slice(start, start + MAX_FRAME_MESSAGES)),
      );
    }
  }
}
