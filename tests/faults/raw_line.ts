/** One WebSocket of a raw client: its calls, and how far its syncs have come. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type {
  ClientEventName,
  ClientEvents,
  Message,
  RoomChanges,
  RoomPosition,
  ServerEnvelope,
  SyncResult,
} from "../../realtime/protocol/protocol.ts";

/** A call without an answer is repeated after this, in milliseconds. */
const ANSWER_LIMIT_MS = 2_500;

/** A line whose ping is not answered within this time is given up, in milliseconds. */
const PING_LIMIT_MS = 3_000;
const PING_INTERVAL_MS = 1_500;

/** An upgrade may take this long, in milliseconds. */
const OPEN_LIMIT_MS = 3_000;

export interface RawLineOptions {
  url: string;
  token: string;
  onOpen: () => void;
  onMessage: (message: Message) => void;
  onChanges: (changes: RoomChanges) => void;
  onSynced: (result: SyncResult, asked: RoomPosition) => void;
  onSyncFailed: (rooms: RoomPosition[]) => void;
  /** Every room of a sync has come to its end. */
  onSettled: () => void;
  onClosed: (code: number) => void;
}

/** Told the answer's data, or undefined when none came in time. */
export type Answered = (answer: Record<string, unknown> | undefined) => void;

/** One WebSocket: its calls, and how far its syncs have come. */
export class RawLine {
  readonly #options: RawLineOptions;
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Answered>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Syncs on their way, by room; a room is settled when it was synced and none is. */
  readonly #syncing = new Map<string, number>();
  readonly #unfinished = new Set<string>();
  #nextId = 1;
  #ended = false;

  constructor(options: RawLineOptions) {
    this.#options = options;
    const socket = this.#socket = new WebSocket(options.url, [
      SUBPROTOCOL,
      BEARER_PREFIX + options.token,
    ]);
    const cancelOpening = this.#after(OPEN_LIMIT_MS, () => this.giveUp());
    socket.onopen = () => {
      if (this.#ended) return;
      cancelOpening();
      this.#ping();
      options.onOpen();
    };
    socket.onmessage = ({ data }) => {
      if (!this.#ended) this.#receive(String(data));
    };
    socket.onerror = () => {};
    socket.onclose = ({ code }) => this.#end(code);
  }

  get isOpen(): boolean {
    return !this.#ended && this.#socket.readyState === WebSocket.OPEN;
  }

  get state(): string {
    return `${
      ["connecting", "open", "closing", "closed"][this.#socket.readyState]
    }, unfinished ${this.#unfinished.size}, syncing ${this.#syncing.size}`;
  }

  /** Whether the room has been synced to its end and is not being synced now. */
  isSettled(roomId: string): boolean {
    return this.#syncing.get(roomId) === 0 && !this.#unfinished.has(roomId);
  }

  /** Sends an event; the answer is undefined when none came in time. Not told when the line ends. */
  call<E extends ClientEventName>(
    event: E,
    data: ClientEvents[E],
    onAnswer: Answered,
    limitMs = ANSWER_LIMIT_MS,
  ): void {
    if (!this.isOpen) return;
    const id = this.#nextId++;
    const cancel = this.#after(limitMs, () => {
      // The answer is still welcome when it comes late.
      onAnswer(undefined);
    });
    this.#calls.set(id, (answer) => {
      cancel();
      onAnswer(answer);
    });
    this.#socket.send(JSON.stringify({ id, event, data }));
  }

  /** Syncs rooms from these positions. */
  sync(rooms: RoomPosition[]): void {
    if (!this.isOpen) return;
    for (const { roomId } of rooms) {
      this.#syncing.set(roomId, (this.#syncing.get(roomId) ?? 0) + 1);
    }
    this.call("rooms:sync", { rooms }, (ack) => {
      if (this.#ended) return;
      if (ack === undefined) return this.giveUp();
      for (const { roomId } of rooms) {
        this.#syncing.set(roomId, this.#syncing.get(roomId)! - 1);
      }
      if (ack.success !== true) {
        // What is live goes on, but a room that was never synced may not be.
        for (const { roomId } of rooms) this.#unfinished.add(roomId);
        return this.#options.onSyncFailed(rooms);
      }
      for (const result of ack.results as SyncResult[]) {
        if (result.hasMore || result.hasMoreChanges) {
          this.#unfinished.add(result.roomId);
        } else this.#unfinished.delete(result.roomId);
        const asked = rooms.find(({ roomId }) => roomId === result.roomId)!;
        this.#options.onSynced(result, asked);
      }
      const settled = [...this.#syncing.keys()].every((id) =>
        this.isSettled(id)
      );
      if (settled) this.#options.onSettled();
    }, 4 * ANSWER_LIMIT_MS);
  }

  /** Does not trust the line any more. */
  giveUp(): void {
    this.close();
  }

  close(): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
    // The closing handshake may never end on a broken line.
    this.#end(1000);
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#options.onClosed(code);
  }

  #after(ms: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  #ping(): void {
    this.call("presence:ping", {}, (answer) => {
      if (answer === undefined) this.giveUp();
    }, PING_LIMIT_MS);
    this.#after(PING_INTERVAL_MS, () => this.#ping());
  }

  #receive(text: string): void {
    const parsed: ServerEnvelope | ServerEnvelope[] = JSON.parse(text);
    for (const envelope of Array.isArray(parsed) ? parsed : [parsed]) {
      if (this.#ended) return;
      if ("ack" in envelope) {
        const answered = this.#calls.get(envelope.ack);
        this.#calls.delete(envelope.ack);
        answered?.(envelope.data);
      } else if (envelope.event === "message:new") {
        this.#options.onMessage(envelope.data);
      } else if (envelope.event === "room:changes") {
        this.#options.onChanges(envelope.data);
      }
    }
  }
}
