import {
  isConflict,
  isUnavailable,
  isUniqueViolation,
} from "../../db/engine/errors.ts";
import type { NewMessage, StoredMessage } from "../../db/messages.ts";
import type { Log } from "../../log.ts";
import { errorFields } from "../../log.ts";
import type { Message, UserRef } from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import type { Refused, Stored } from "./post_result.ts";
import {
  MAX_BATCH,
  type Pending,
  WaitingMessages,
} from "./waiting_messages.ts";

/** A message is refused as `unavailable` when it could not be stored for this long, in milliseconds. */
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

export interface WriterOptions {
  /** Stores a batch in one statement: `storeMessages` of `db/messages.ts`. */
  store: (
    messages: readonly NewMessage[],
    now: Date,
  ) => Promise<StoredMessage[]>;
  /** Called with a room's newly committed messages, in order of `seq`, before any of them is acked. */
  onStored: (roomId: string, stored: readonly Message[]) => void;
  /** Called with a room where a write may have committed after we reported a failure. */
  onUncertain: (roomId: string) => void;
  /** Called after each statement that has stored a batch, with how long it took. */
  onWritten?: (messages: number, milliseconds: number) => void;
  /** How many batches may be on their way at once; a room is in at most one of them. */
  lanes: number;
  /** The time of day, in milliseconds since 1970: the messages' time. */
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
 * the database goes away the batch is tried again with the same ids, so a write whose answer was lost
 * is found as its own duplicate and counts as stored.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #waiting = new WaitingMessages();
  readonly #busyRooms = new Set<string>();
  readonly #batches = new Set<Pending[]>();
  /** While a batch's answers are gathered: how many may be coming, and the timer's end. */
  #gathering: { expected: number; stop: () => void } | undefined;
  #deadlineTimer: (() => void) | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Stores a message. At most one of each (user, room, client id) may be on its way. Never rejects. */
  write(message: NewMessage, sender: UserRef): Promise<Stored | Refused> {
    const { promise, resolve } = Promise.withResolvers<Stored | Refused>();
    this.#waiting.add({
      message,
      sender,
      deadline: this.#options.steadyClock() + PATIENCE_MS,
      settle: resolve,
    });
    this.#watchDeadlines();
    // In a microtask, so that messages of one turn of the event loop share the first batch too.
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

  async #run(batch: Pending[]): Promise<void> {
    const rooms = new Set(batch.map((pending) => pending.message.roomId));
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
   * Stores a batch; when the database will not have it, one by one, so that one bad message harms no
   * other.
   *
   * @param onCommitted called before anything is published or acked, so that the database works on the
   *   next batch meanwhile; that one is published in a later turn
   */
  async #storeOrSplit(
    batch: Pending[],
    onCommitted?: () => void,
  ): Promise<void> {
    try {
      const rows = await this.#storePatiently(batch);
      onCommitted?.();
      this.#publish(batch, rows);
    } catch (error) {
      if (isUnavailable(error)) {
        this.#giveUp(batch);
      } else if (batch.length > 1) {
        for (const pending of batch) await this.#storeOrSplit([pending]);
      } else {
        this.#options.log.error(
          "a message could not be stored",
          errorFields(error),
        );
        batch[0]!.settle({ kind: "refused", code: "internal" });
      }
    }
  }

  async #storePatiently(batch: Pending[]): Promise<StoredMessage[]> {
    const { store, onWritten, clock, steadyClock, timers, log } = this.#options;
    const messages = batch.map((pending) => pending.message);
    const deadline = Math.max(...batch.map((pending) => pending.deadline));
    for (let conflicts = 0;;) {
      try {
        const startedAt = steadyClock();
        const stored = await store(messages, new Date(clock()));
        onWritten?.(messages.length, steadyClock() - startedAt);
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

  #publish(batch: Pending[], rows: StoredMessage[]): void {
    const results: (Stored | Refused | undefined)[] = new Array(batch.length);
    const byRoom = new Map<string, Message[]>();
    for (const row of rows) {
      const { message, sender } = batch[row.index]!;
      const { id: messageId, seq } = row;
      const createdAt = row.created_at.toISOString();
      const isDuplicate = messageId !== message.id;
      results[row.index] = {
        kind: "stored",
        messageId,
        seq,
        createdAt,
        isDuplicate,
      };
      if (isDuplicate) continue;
      const { roomId, text, clientMsgId } = message;
      const committed = {
        messageId,
        roomId,
        seq,
        text,
        createdAt,
        clientMsgId,
        sender,
      };
      const room = byRoom.get(roomId);
      if (room === undefined) byRoom.set(roomId, [committed]);
      else room.push(committed);
    }
    for (const [roomId, committed] of byRoom) {
      this.#options.onStored(roomId, committed.sort((a, b) => a.seq - b.seq));
    }
    batch.forEach((pending, index) =>
      pending.settle(
        results[index] ?? { kind: "refused", code: "not_a_member" },
      )
    );
  }

  #giveUp(batch: Pending[]): void {
    for (
      const roomId of new Set(batch.map((pending) => pending.message.roomId))
    ) {
      this.#options.onUncertain(roomId);
    }
    batch.forEach(refuse);
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
      this.#waiting.takeOverdue(now).forEach(refuse);
      for (const batch of this.#batches) {
        for (const pending of batch) {
          if (pending.deadline <= now) refuse(pending);
        }
      }
      if (this.#waiting.size > 0 || this.#batches.size > 0) {
        this.#watchDeadlines();
      }
      this.#pump();
    });
  }
}

/** Has no effect on a message that has been settled. */
function refuse(pending: Pending): void {
  pending.settle({ kind: "refused", code: "unavailable" });
}
