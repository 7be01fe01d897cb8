import { CloseCode } from "../protocol/close_codes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import type { Timers } from "../timers.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import {
  type WebSocketTransport,
  webSocketTransport,
} from "./websocket_transport.ts";

/** Held for a client until it is let in, at most, in UTF-16 code units; past it the client sends too much. */
const MAX_HELD_LENGTH = 1024 * 1024;

/** Why a socket is closed before it was let in. */
export interface Refusal {
  readonly code: CloseCode;
  readonly reason: string;
}

export interface SocketEntryOptions {
  /** Frames held at most; past it the client sends too much. */
  readonly maxFrames: number;
  readonly timers: Timers;
  /** Told of exceptions in the socket's events: thrown on, they would end the process. */
  readonly fail: (error: unknown) => void;
  readonly onOpened: () => void;
  /** Called once, when nothing will come of this entry: refused with a code, or gone. */
  readonly onEnded: (code?: CloseCode) => void;
}

/**
 * A socket from its upgrade until it is known whether its user may come in. A handshake is answered
 * before that is asked: one that waits first and is abandoned meanwhile keeps its descriptor for ever.
 *
 * What the client sends is held, in order, and is acted on only once {@link letIn} was called.
 */
export class SocketEntry {
  /** Resolves when the socket is open, or will never be. */
  readonly opened: Promise<void>;

  readonly #socket: WebSocket;
  readonly #options: SocketEntryOptions;
  /** Frames that came in; undefined stands for one that is not text. */
  #held: (string | undefined)[] = [];
  #heldLength = 0;
  #transport: WebSocketTransport | undefined;
  #over = false;

  constructor(socket: WebSocket, options: SocketEntryOptions) {
    this.#socket = socket;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    socket.onclose = socket.onerror = () => {
      this.#end();
      resolve();
    };
    socket.onopen = () => {
      // Handlers that have done their work would stay with the socket for its life.
      socket.onopen = null;
      this.#transport = this.#wire({
        onText: (text) => this.#hold(text),
        onBinary: () => this.#hold(undefined),
        onClosed: () => this.#end(),
      });
      options.onOpened();
      if (this.#over) this.#transport.close(CloseCode.restart, "too late");
      resolve();
    };
  }

  /** Whether the socket was let in or refused, or is gone. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the socket has opened. */
  get hasOpened(): boolean {
    return this.#transport !== undefined;
  }

  /** Gives up a socket that has not opened. */
  expire(): void {
    if (!this.hasOpened) this.#end();
  }

  /** Closes the socket; what the client has sent is never looked at. */
  refuse({ code, reason }: Refusal): void {
    if (this.#over) return;
    // A client's first frames are likely to be on their way.
    this.#transport?.close(code, reason, true);
    this.#end(code);
  }

  /**
   * Hands an open socket to its connection.
   *
   * @returns its wire, and what gives the connection the frames that came in meanwhile, in order
   */
  letIn(events: TransportEvents): { transport: Transport; begin: () => void } {
    this.#over = true;
    const held = this.#held;
    const { fail } = this.#options;
    return {
      transport: this.#wire(events),
      begin() {
        for (const text of held) {
          try {
            if (text === undefined) events.onBinary();
            else events.onText(text);
          } catch (error) {
            fail(error);
          }
        }
      },
    };
  }

  #wire(events: TransportEvents): WebSocketTransport {
    const { timers, fail } = this.#options;
    return webSocketTransport(this.#socket, events, timers, fail);
  }

  #hold(text: string | undefined): void {
    if (this.#over) return;
    // The connection will refuse a frame that is too long: its beginning is enough to see that.
    const kept = text?.slice(0, MAX_FRAME_BYTES + 1);
    this.#heldLength += kept?.length ?? 0;
    if (
      this.#held.push(kept) > this.#options.maxFrames ||
      this.#heldLength > MAX_HELD_LENGTH
    ) {
      this.refuse({
        code: CloseCode.tooManyFrames,
        reason: "too many frames waiting",
      });
    }
  }

  #end(code?: CloseCode): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.#options.onEnded(code);
  }
}
