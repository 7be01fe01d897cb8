/**
 * Messages on their way out. Each is stored before anything else happens and keeps its `clientMsgId`
 * until the server has it or refuses it for good; so a reload, a closed tab or an expired login loses
 * nothing, and a repeat is recognised by the server.
 *
 * Every message has its own storage key: two tabs can then add and remove at the same moment without
 * overwriting each other's list.
 */

import { signal } from "@preact/signals";
import type {
  AckData,
  Quote,
  RefusalCode,
} from "../../../realtime/protocol/protocol.ts";
import { PERMANENT_REFUSALS } from "../../../realtime/protocol/refusals.ts";
import type { Clock } from "../clock.ts";
import type { CallFailure } from "../connection/connection.ts";
import { OUTBOX_PREFIX } from "../storage/device.ts";
import {
  keysWithPrefix,
  type KeyValueStorage,
  readJson,
  writeJson,
} from "../storage/storage.ts";
import { withEntry } from "../with_entry.ts";

/** Shortest wait after a temporary refusal, in milliseconds; doubled each time up to the longest. */
export const MIN_RETRY_MS = 1_000;
export const MAX_RETRY_MS = 30_000;

/** Refusals that no repeat can change. */
const PERMANENT: ReadonlySet<string> = new Set(PERMANENT_REFUSALS);

export interface OutboxEntry {
  readonly clientMsgId: string;
  readonly roomId: string;
  readonly text: string;
  /** What it answers, as that was when it was written. */
  readonly replyTo?: Quote | undefined;
  /** Counts up over all tabs, as far as they know of each other: the order of sending. */
  readonly order: number;
  /** When it was written, milliseconds since the epoch; decides between equal `order`s. */
  readonly queuedAt: number;
  /** Set when the server refused it for good: why. */
  readonly failed?: RefusalCode;
  /** The server has it, this tab has not had it from the room yet. Never stored. */
  readonly isSent?: true;
}

/** Exclusive use of a name over all tabs of the browser; `navigator.locks` is one. */
export interface Locks {
  request(name: string, run: () => Promise<void>): Promise<unknown>;
}

export type SendResult = AckData<"message:send"> | CallFailure;

export interface OutboxOptions {
  userId: string;
  storage: KeyValueStorage;
  /** Without locks two tabs may send the same message; the server keeps one. */
  locks?: Locks | undefined;
  clock: Clock;
  newId: () => string;
  /** Sends one message; resolves with the ack or how it failed. */
  send: (entry: OutboxEntry) => Promise<SendResult>;
  /** The server has it. It stays among the entries until `remove`: when the room shows it. */
  onSent: (entry: OutboxEntry, ack: SendResult & { success: true }) => void;
  /** Milliseconds to wait before a muted room may be tried again. */
  muteDelay: (roomId: string, mutedUntil: string | undefined) => number;
}

interface RoomQueue {
  sending: boolean;
  /** Temporary refusals in a row. */
  refusals: number;
  /** Set while waiting after a temporary refusal. */
  cancelWait?: (() => void) | undefined;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #prefix: string;
  readonly #queues = new Map<string, RoomQueue>();
  /** Messages the browser refused to store (quota, private mode): they live in memory only. */
  readonly #unstored = new Set<string>();
  /** Messages by their `clientMsgId`. */
  readonly #entries = signal<ReadonlyMap<string, OutboxEntry>>(new Map());
  #open = false;
  #order = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#prefix = `${OUTBOX_PREFIX}${options.userId}:`;
    this.#refresh();
  }

  /** A room's messages in the order they were written, the failed ones included; a signal. */
  entries(roomId: string): OutboxEntry[] {
    return [...this.#entries.value.values()].filter((entry) =>
      entry.roomId === roomId
    ).sort(byOrder);
  }

  /** A message by its id; a signal. */
  get(clientMsgId: string): OutboxEntry | undefined {
    return this.#entries.value.get(clientMsgId);
  }

  /** Accepts a message for sending and returns its `clientMsgId`. */
  add(roomId: string, text: string, replyTo?: Quote): string {
    const { newId, clock } = this.#options;
    const entry = {
      clientMsgId: newId(),
      roomId,
      text,
      ...(replyTo && { replyTo }),
      queuedAt: clock.date(),
      order: ++this.#order,
    };
    this.#put(entry);
    this.#drain(roomId);
    return entry.clientMsgId;
  }

  /** The connection is live and the rooms are up to date: sends what waits. */
  resume(): void {
    this.#open = true;
    for (const { clientMsgId, isSent } of this.#entries.value.values()) {
      if (isSent) this.#set(clientMsgId, undefined);
    }
    for (const roomId of this.#rooms) this.#retryNow(roomId);
  }

  /** The connection is gone: nothing is sent until `resume`. */
  pause(): void {
    this.#open = false;
  }

  /** Tries a failed message again, after those that were written before it. */
  retry(clientMsgId: string): void {
    const entry = this.get(clientMsgId);
    if (entry === undefined) return;
    const { failed: _, ...rest } = entry;
    this.#put(rest);
    this.#retryNow(entry.roomId);
  }

  /** Forgets a message: the user deleted it, or it was seen in the room. */
  remove(clientMsgId: string): void {
    const entry = this.get(clientMsgId);
    if (entry === undefined) return;
    this.#set(clientMsgId, undefined);
    this.#options.storage.removeItem(this.#prefix + clientMsgId);
  }

  /** Another tab changed the storage; null as key means all of it. */
  storageChanged(key: string | null): void {
    if (key !== null && !key.startsWith(this.#prefix)) return;
    if (key === null) this.#entries.value = new Map();
    this.#refresh();
    for (const roomId of this.#rooms) this.#drain(roomId);
  }

  /** The rooms that something waits in. */
  get #rooms(): Set<string> {
    return new Set(
      [...this.#entries.value.values()].map(({ roomId }) => roomId),
    );
  }

  /** Takes over what is stored: other tabs add, send and remove too. */
  #refresh(): void {
    const { storage } = this.#options;
    const entries = new Map<string, OutboxEntry>();
    for (const key of keysWithPrefix(storage, this.#prefix)) {
      const entry = readJson(storage, key);
      // Not one that another program, or half a write, has left.
      if (!isEntry(entry)) continue;
      entries.set(entry.clientMsgId, entry);
      this.#order = Math.max(this.#order, entry.order);
    }
    for (const [id, entry] of this.#entries.value) {
      if (entries.has(id)) continue;
      if (this.#unstored.has(id)) entries.set(id, entry);
      // Users delete failed messages only: what else is gone, another tab has sent.
      else if (!entry.failed) entries.set(id, { ...entry, isSent: true });
    }
    this.#entries.value = entries;
  }

  #set(id: string, entry: OutboxEntry | undefined): void {
    this.#entries.value = withEntry(this.#entries.value, id, entry);
  }

  #put(entry: OutboxEntry): void {
    const id = entry.clientMsgId;
    this.#set(id, entry);
    if (writeJson(this.#options.storage, this.#prefix + id, entry)) {
      this.#unstored.delete(id);
    } else this.#unstored.add(id);
  }

  #queue(roomId: string): RoomQueue {
    const queue = this.#queues.get(roomId) ?? { sending: false, refusals: 0 };
    this.#queues.set(roomId, queue);
    return queue;
  }

  #next(roomId: string): OutboxEntry | undefined {
    return this.entries(roomId).find(({ failed, isSent }) =>
      !failed && !isSent
    );
  }

  #retryNow(roomId: string): void {
    const queue = this.#queue(roomId);
    queue.cancelWait?.();
    queue.cancelWait = undefined;
    this.#drain(roomId);
  }

  /** Sends a room's messages one after another; at most one run per room. */
  async #drain(roomId: string): Promise<void> {
    const queue = this.#queue(roomId);
    if (queue.sending) return;
    queue.sending = true;
    try {
      while (
        this.#open && queue.cancelWait === undefined &&
        this.#next(roomId) !== undefined
      ) {
        await this.#exclusively(roomId, () => this.#sendNext(roomId, queue));
      }
    } finally {
      queue.sending = false;
    }
  }

  #exclusively(roomId: string, run: () => Promise<void>): Promise<unknown> {
    const { locks } = this.#options;
    return locks === undefined
      ? run()
      : locks.request(`${this.#prefix}${roomId}`, run);
  }

  async #sendNext(roomId: string, queue: RoomQueue): Promise<void> {
    // While we waited for the lock another tab may have sent it.
    this.#refresh();
    const entry = this.#next(roomId);
    if (entry === undefined || !this.#open) return;
    const result = await this.#options.send(entry);
    if (result.success) {
      queue.refusals = 0;
      const id = entry.clientMsgId;
      this.#options.storage.removeItem(this.#prefix + id);
      if (this.get(id)) this.#set(id, { ...entry, isSent: true });
      this.#options.onSent(entry, result);
    } else if (PERMANENT.has(result.code)) {
      if (this.get(entry.clientMsgId)) {
        this.#put({ ...entry, failed: result.code as RefusalCode });
      }
    } else this.#waitAfter(result, roomId, queue);
  }

  #waitAfter(
    result: SendResult & { success: false },
    roomId: string,
    queue: RoomQueue,
  ): void {
    // A lost line needs no wait here: sending goes on when the connection is live again.
    if (result.code === "connection_closed") return this.pause();
    const { clock, muteDelay } = this.#options;
    const delay = result.code === "muted"
      ? muteDelay(
        roomId,
        "mutedUntil" in result ? result.mutedUntil : undefined,
      )
      : Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** queue.refusals++);
    queue.cancelWait = clock.after(delay, () => this.#retryNow(roomId));
  }
}

function isEntry(value: unknown): value is OutboxEntry {
  const { clientMsgId, roomId, text, order, queuedAt } = Object(value);
  return [clientMsgId, roomId, text].every((word) =>
    typeof word === "string"
  ) &&
    [order, queuedAt].every(Number.isSafeInteger);
}

function byOrder(a: OutboxEntry, b: OutboxEntry): number {
  return a.order - b.order || a.queuedAt - b.queuedAt;
}
