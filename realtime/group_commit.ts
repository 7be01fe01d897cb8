import {
  isConflict,
  isUnavailable,
  isUniqueViolation,
} from "../db/engine/errors.ts";
import type { Log } from "../log.ts";
import { errorFields } from "../log.ts";
import type { Timers } from "./timers.ts";
import { MAX_BATCH, type Pending, WaitingItems } from "./waiting_items.ts";

/** A write is refused as `unavailable` when it could not be stored for this long, in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * After a batch of several messages its senders' next ones are already on their way. Waiting for as
 * many, but at most this long, in milliseconds, makes one commit of what would be many small ones. A
 * lone sender never waits.
 */
const GATHER_MS = 2;

/** Wait before the next try when the database is away, in milliseconds. */
const RETRY_MS = 100;

/** Tries of a batch that other writers get in the way of. Each conflict means that another writer made progress. */
const MAX_CONFLICTS = 20;

/** Why a write failed: the database is away, or a fault in the server. */
export type CommitFailure = "unavailable" | "internal";

export interface GroupCommitOptions<
  Item extends { roomId: string },
  Stored,
  Result,
> {
  /** Stores a batch as one commit. */
  store: (items: readonly Item[], now: Date) => Promise<Stored>;
  /** Publishes what was committed, before any of it is acked. @returns each item's result */
  publish: (items: readonly Item[], stored: Stored) => Result[];
  /** The result of a write that failed. */
  failed: (code: CommitFailure) => Result;
  /** Called with a room where a write may have committed after we reported a failure. */
  onUncertain: (roomId: string) => void;
  /** Called after each batch that was stored, with how long it took. */
  onWritten?: (items: number, milliseconds: number) => void;
  /** How many batches may be on their way at once; a room is in at most one of them. */
  lanes: number;
  /** The time of day, in milliseconds since 1970: what is stored carries it. */
  clock: () => number;
  /** What durations are measured with, in milliseconds. */
  steadyClock: () => number;
  timers: Timers;
  log: Log;
}

/**
 * Group commit: what arrives while a write is on its way, of all rooms, is the next write.
 *
 * A room is in at most one batch at a time, so the order of commits is the order of publishing. When
 * the database goes away the batch is tried again: a write whose answer was lost has to be one that
 * changes nothing the second time, and says so.
 */
export class GroupCommit<Item extends { roomId: string }, Stored, Result> {
  readonly #options: GroupCommitOptions<Item, Stored, Result>;
  readonly #waiting = new WaitingItems<Item, Result>();
  readonly #busyRooms = new Set<string>();
  readonly #batches = new Set<Pending<Item, Result>[]>();
  /** While a batch's answers are gathered: how many may be coming, and the timer's end. */
  #gathering: { expected: number; stop: () => void } | undefined;
  #deadlineTimer: (() => void) | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: GroupCommitOptions<Item, Stored, Result>) {
    this.#options = options;
  }

  /** Stores an item with the next batch. Never rejects. */
  write(item: Item): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#waiting.add({
      item,
      deadline: this.#options.steadyClock() + PATIENCE_MS,
      settle: resolve,
    });
    this.#watchDeadlines();
    // In a microtask, so that items of one turn of the event loop share the first batch too.
    if (this.#gathering === undefined) queueMicrotask(() => this.#pump());
    else if (this.#waiting.size >= this.#gathering.expected) this.#gathered();
    return promise;
  }

  /** Resolves when nothing waits and nothing is on its way. */
  idle(): Promise<void> {
    if (this.#batches.size === 0 && this.#waiting.size === 0) {
      return Promise.resolve();
    }
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #pump(): void {
    while (this.#batches.size < this.#options.lanes) {
      const batch = this.#waiting.takeBatch(this.#busyRooms);
      if (batch.length === 0) break;
      this.#run(batch);
    }
    if (this.#batches.size === 0 && this.#waiting.size === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  async #run(batch: Pending<Item, Result>[]): Promise<void> {
    const rooms = new Set(batch.map((pending) => pending.item.roomId));
    for (const roomId of rooms) this.#busyRooms.add(roomId);
    this.#batches.add(batch);
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#batches.delete(batch);
      for (const roomId of rooms) this.#busyRooms.delete(roomId);
      if (batch.length > 1 && batch.length < MAX_BATCH) {
        this.#gather(batch.length);
      } else this.#pump();
    };
    try {
      await this.#storeOrSplit(batch, over);
    } finally {
      over();
    }
  }

  /** Goes on when as many answers have come as were given, or after {@link GATHER_MS}. */
  #gather(answers: number): void {
    const expected = Math.min(this.#waiting.size + answers, MAX_BATCH);
    if (this.#waiting.size >= expected) return this.#pump();
    if (this.#gathering !== undefined) return;
    const stop = this.#options.timers.after(GATHER_MS, () => this.#gathered());
    this.#gathering = { expected, stop };
  }

  #gathered(): void {
    this.#gathering?.stop();
    this.#gathering = undefined;
    this.#pump();
  }

  /**
   * Stores a batch; when the database will not have it, one by one, so that one bad item harms no
   * other.
   *
   * @param onCommitted called before anything is published or acked, so that the database works on the
   *   next batch meanwhile; that one is published in a later turn
   */
  async #storeOrSplit(
    batch: Pending<Item, Result>[],
    onCommitted?: () => void,
  ): Promise<void> {
    try {
      const stored = await this.#storePatiently(batch);
      onCommitted?.();
      const items = batch.map(({ item }) => item);
      const results = this.#options.publish(items, stored);
      batch.forEach(({ settle }, index) => settle(results[index]!));
    } catch (error) {
      if (isUnavailable(error)) {
        this.#giveUp(batch);
      } else if (batch.length > 1) {
        for (const pending of batch) await this.#storeOrSplit([pending]);
      } else {
        const { log, failed } = this.#options;
        log.error("what was sent could not be stored", errorFields(error));
        batch[0]!.settle(failed("internal"));
      }
    }
  }

  async #storePatiently(batch: Pending<Item, Result>[]): Promise<Stored> {
    const { store, onWritten, clock, steadyClock, timers, log } = this.#options;
    const items = batch.map(({ item }) => item);
    const deadline = Math.max(...batch.map((pending) => pending.deadline));
    for (let conflicts = 0;;) {
      try {
        const startedAt = steadyClock();
        const stored = await store(items, new Date(clock()));
        onWritten?.(items.length, steadyClock() - startedAt);
        return stored;
      } catch (error) {
        const conflict = isUniqueViolation(error) || isConflict(error);
        if (conflict ? ++conflicts === MAX_CONFLICTS : !isUnavailable(error)) {
          throw error;
        }
        if (steadyClock() >= deadline) throw error;
        log.warn("a write is tried again", errorFields(error));
        await new Promise<void>((resolve) =>
          timers.after(conflict ? 0 : RETRY_MS, resolve)
        );
      }
    }
  }

  #giveUp(batch: Pending<Item, Result>[]): void {
    for (
      const roomId of new Set(batch.map((pending) => pending.item.roomId))
    ) {
      this.#options.onUncertain(roomId);
    }
    this.#refuse(batch);
  }

  /**
   * Refuses what has waited too long. What still waits was not stored; what is on its way may yet be,
   * is published then, and a retry finds it.
   */
  #watchDeadlines(): void {
    if (this.#deadlineTimer !== undefined) return;
    this.#deadlineTimer = this.#options.timers.after(PATIENCE_MS / 10, () => {
      this.#deadlineTimer = undefined;
      const now = this.#options.steadyClock();
      this.#refuse(this.#waiting.takeOverdue(now));
      for (const batch of this.#batches) {
        this.#refuse(batch.filter(({ deadline }) => deadline <= now));
      }
      if (this.#waiting.size > 0 || this.#batches.size > 0) {
        this.#watchDeadlines();
      }
      this.#pump();
    });
  }

  /** Has no effect on what has been settled. */
  #refuse(batch: readonly Pending<Item, Result>[]): void {
    for (const { settle } of batch) settle(this.#options.failed("unavailable"));
  }
}
