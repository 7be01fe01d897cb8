import { CloseCode } from "../protocol/close_codes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import type { ServerEvent, UserRef } from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import {
  envelopesFrame,
  eventFrame,
  type Frame,
  utf8Length,
} from "./frames.ts";
import { Outgoing, type State } from "./outgoing.ts";
import type { Session } from "./session.ts";
import type { Transport } from "./transport.ts";

/** Frames that wait for the one being handled, in bytes; past it the peer sends too much. */
const MAX_INBOX_BYTES = 1024 * 1024;

export interface FrameLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface ConnectionOptions extends Session {
  id: string;
  frameLimit: FrameLimit;
  clock: () => number;
  timers: Timers;
  /** Handles one frame; resolves when the next may be handled. Never throws. */
  onFrame: (
    connection: Connection,
    text: string,
    answer: Answer,
  ) => void | Promise<void>;
  /** Called once, when the connection has ended; with a code when it was closed from here. */
  onClosed: (connection: Connection, code?: CloseCode) => void;
}

/**
 * Called once for each frame, when it has been handled: with the ack, or the error of a frame that
 * cannot be acked, as text; with undefined when neither is due.
 */
export type Answer = (envelope: string | undefined) => void;

/**
 * One client: frames in, one after another; frames out, as fast as the client takes them.
 *
 * It belongs to the registry until {@link close} or the loss of the wire, whichever comes first;
 * after that nothing is sent and nothing that comes in is looked at.
 */
export class Connection {
  readonly id: string;
  readonly user: UserRef;
  readonly sessionId: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** When the peer gave its last sign of life, a frame or an answered ping, by the steady clock. */
  lastSignAt: number;

  readonly #options: ConnectionOptions;
  #transport: Transport | undefined;
  #closed = false;

  readonly #inbox: { text: string; answer: Answer }[] = [];
  #inboxBytes = 0;
  #handling = false;
  readonly #awaited = new Set<Answer>();
  #frameTokens: number;
  #tokensAt: number;

  readonly #outgoing: Outgoing;
  #answers: string[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.user = options.user;
    this.sessionId = options.sessionId;
    this.issuedAt = options.issuedAt;
    this.expiresAt = options.expiresAt;
    this.lastSignAt = options.clock();
    this.#frameTokens = options.frameLimit.burst;
    this.#tokensAt = this.lastSignAt;
    this.#outgoing = new Outgoing({
      timers: options.timers,
      onTooSlow: () =>
        this.close(CloseCode.tooSlow, "the client reads too slowly"),
    });
  }

  /** Gives the connection its wire. Once, before anything is sent. */
  attach(transport: Transport): void {
    this.#transport = transport;
    this.#outgoing.attach(transport);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a frame of text from the wire. Its answer goes out by the wire too, unless told otherwise. */
  receive(
    text: string,
    answer: Answer = (envelope) => this.answer(envelope),
  ): void {
    if (this.#closed) return;
    if (text.length > MAX_FRAME_BYTES || utf8Length(text) > MAX_FRAME_BYTES) {
      return this.close(
        CloseCode.tooBig,
        `frames are limited to ${MAX_FRAME_BYTES} bytes`,
      );
    }
    if (!this.#takeFrameToken()) {
      return this.close(CloseCode.tooManyFrames, "too many frames");
    }
    if (!this.#handling) return this.#handle(text, answer);
    this.#inbox.push({ text, answer });
    this.#inboxBytes += text.length;
    if (this.#inboxBytes > MAX_INBOX_BYTES) {
      this.close(CloseCode.tooManyFrames, "too many frames waiting");
    }
  }

  /** As {@link receive}, but resolves with the answer; with undefined, too, when the connection ends first. */
  async receiveAnswered(text: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#awaited.add(resolve);
    this.receive(text, resolve);
    if (this.#closed) resolve(undefined);
    const answer = await promise;
    this.#awaited.delete(resolve);
    return answer;
  }

  /** Looks for a sign of life of a peer that sends no frames: a hidden page sends one a minute. */
  checkLife(): void {
    if (this.#transport?.isAnswering()) this.lastSignAt = this.#options.clock();
  }

  /** Takes a frame that is not text: there is no such frame in the protocol. */
  receiveBinary(): void {
    this.close(CloseCode.unsupportedData, "frames are JSON text");
  }

  /** Sends a frame, see {@link Outgoing.send}. */
  send(frame: Frame): void {
    this.#outgoing.send(frame);
  }

  /** Sends what only counts as it is now, see {@link Outgoing.sendState}. */
  sendState(key: string, state: State): void {
    this.#outgoing.sendState(key, state);
  }

  /** Sends one event to this client alone. */
  sendEvent(event: ServerEvent): void {
    this.send(eventFrame(event));
  }

  /** Sends an ack or error, if there is one. Those of the same turn leave in one frame. */
  answer(envelope: string | undefined): void {
    if (envelope === undefined) return;
    if (this.#answers.push(envelope) > 1) return;
    queueMicrotask(() => {
      const answers = this.#answers;
      this.#answers = [];
      this.send(envelopesFrame(answers));
    });
  }

  /** Bytes sent that the peer has not taken yet, here and in the runtime. */
  get waitingBytes(): number {
    return this.#outgoing.waitingBytes;
  }

  /** Resolves when little waits for the peer, or the connection is closed, see {@link Outgoing.drained}. */
  drained(): Promise<void> {
    return this.#outgoing.drained();
  }

  /** Ends the connection with a code for the client. */
  close(code: CloseCode, reason: string): void {
    if (this.#closed) return;
    // First out of the registry: nothing must be sent to who is leaving, and a peer that never
    // answers the close must not be remembered.
    this.#end(code);
    this.#transport?.close(code, reason);
  }

  /** The wire is gone. */
  lost(): void {
    if (!this.#closed) this.#end();
  }

  #end(code?: CloseCode): void {
    this.#closed = true;
    this.#outgoing.end();
    this.#inbox.length = 0;
    for (const resolve of this.#awaited) resolve(undefined);
    this.#options.onClosed(this, code);
  }

  #takeFrameToken(): boolean {
    const { frameLimit, clock } = this.#options;
    const now = clock();
    const refill = Math.max(0, now - this.#tokensAt) * frameLimit.perSecond /
      1000;
    this.#frameTokens = Math.min(frameLimit.burst, this.#frameTokens + refill);
    this.#tokensAt = now;
    this.lastSignAt = now;
    if (this.#frameTokens < 1) return false;
    this.#frameTokens--;
    return true;
  }

  #handle(text: string, answer: Answer): void {
    const pending = this.#options.onFrame(this, text, answer);
    if (pending === undefined) return;
    this.#handling = true;
    pending.then(() => this.#handleNext());
  }

  #handleNext(): void {
    this.#handling = false;
    while (!this.#handling) {
      const next = this.#inbox.shift();
      if (next === undefined) return;
      this.#inboxBytes -= next.text.length;
      this.#handle(next.text, next.answer);
    }
  }
}
