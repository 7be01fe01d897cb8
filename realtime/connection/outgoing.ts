import type { Timers } from "../timers.ts";
import type { Frame } from "./frames.ts";
import type { Transport } from "./transport.ts";

/** Handed to the runtime at most, in bytes: what it holds for a peer that never reads is lost memory. */
const HANDOVER_BYTES = 256 * 1024;

/** States are handed over only while less than this waits, in bytes: nothing else is to be long behind them. */
const STATE_HANDOVER_BYTES = 64 * 1024;

/** Waiting for the peer at most, here and in the runtime together, in bytes; past it the peer is too slow. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** A peer that takes nothing of a replay for this long is too slow, in milliseconds. */
const MAX_DRAIN_MS = 30_000;

/** The runtime has no drain event: the buffer is checked this often while frames wait, in milliseconds. */
const DRAIN_INTERVAL_MS = 20;

/** A state as it is when it is sent; undefined when it is no longer wanted. */
export type State = () => Frame | undefined;

export interface OutgoingOptions {
  timers: Timers;
  /** Called when the peer reads too slowly. It is to end this. */
  onTooSlow: () => void;
}

/** Frames on their way to one client, as fast as it takes them. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  #transport: Transport | undefined;
  #ended = false;
  #queue: Frame[] = [];
  #queueBytes = 0;
  /** Handed to the runtime so far, in bytes. */
  #handedOver = 0;
  /** States that wait, by what they are the state of, the one that waits longest first. */
  readonly #states = new Map<string, State>();
  #drainTimer: (() => void) | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Gives the way out. Once, before anything is sent. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** Sends a frame, now or when the peer has taken what went before. */
  send(frame: Frame): void {
    if (this.#ended || this.#transport === undefined) return;
    if (
      this.#queue.length === 0 && this.#transport.buffered() < HANDOVER_BYTES
    ) {
      return this.#give(this.#transport, frame);
    }
    this.#queue.push(frame);
    this.#queueBytes += frame.bytes;
    if (this.waitingBytes > MAX_WAITING_BYTES) this.#options.onTooSlow();
    else this.#drainLater();
  }

  /**
   * Sends what only counts as it is now. While the peer has much to take it waits, costs no memory, and
   * the newest state takes the place of an older one.
   *
   * @param key what it is the state of
   */
  sendState(key: string, state: State): void {
    const transport = this.#transport;
    if (this.#ended || transport === undefined) return;
    if (this.#states.size === 0 && this.#takesStates(transport)) {
      const frame = state();
      if (frame !== undefined) this.#give(transport, frame);
      return;
    }
    this.#states.set(key, state);
    this.#drainLater();
  }

  /** Bytes sent that the peer has not taken yet, here and in the runtime. States that wait are none yet. */
  get waitingBytes(): number {
    return this.#queueBytes + (this.#transport?.buffered() ?? 0);
  }

  /**
   * Resolves when little waits for the peer, or this has ended. A producer of much data for one client
   * waits here in between, so that a healthy client is not taken for a slow one.
   */
  async drained(): Promise<void> {
    if (this.#ended || this.#isDrained) return;
    const drained = this.#drained ??= Promise.withResolvers();
    this.#drainLater();
    let stop = () => {};
    const watch = (taken: number) => {
      stop = this.#options.timers.after(MAX_DRAIN_MS, () => {
        // A slow line is no dead one.
        if (this.#taken > taken) watch(this.#taken);
        else this.#options.onTooSlow();
      });
    };
    watch(this.#taken);
    await drained.promise;
    stop();
  }

  /** Nothing is sent any more; what waits here is lost, what the runtime has it still sends. */
  end(): void {
    this.#ended = true;
    this.#drainTimer?.();
    this.#queue = [];
    this.#queueBytes = 0;
    this.#states.clear();
    this.#drained?.resolve();
  }

  /** What the peer has taken so far, in bytes. */
  get #taken(): number {
    return this.#handedOver - (this.#transport?.buffered() ?? 0);
  }

  get #isDrained(): boolean {
    return this.#queue.length === 0 && this.waitingBytes < HANDOVER_BYTES;
  }

  #takesStates(transport: Transport): boolean {
    return this.#queue.length === 0 &&
      transport.buffered() < STATE_HANDOVER_BYTES;
  }

  #drainLater(): void {
    this.#drainTimer ??= this.#options.timers.after(
      DRAIN_INTERVAL_MS,
      () => this.#drain(),
    );
  }

  #drain(): void {
    this.#drainTimer = undefined;
    const transport = this.#transport!;
    this.#handOver(transport);
    // The wire may tell only now, while it is written to, that it is lost.
    if (this.#ended) return;
    this.#handOverStates(transport);
    if (this.#ended) return;
    if (this.#drained !== undefined && this.#isDrained) {
      this.#drained.resolve();
      this.#drained = undefined;
    }
    if (
      this.#queue.length > 0 || this.#states.size > 0 ||
      this.#drained !== undefined
    ) this.#drainLater();
  }

  #handOver(transport: Transport): void {
    let sent = 0;
    while (sent < this.#queue.length && transport.buffered() < HANDOVER_BYTES) {
      const frame = this.#queue[sent++]!;
      this.#queueBytes -= frame.bytes;
      this.#give(transport, frame);
    }
    this.#queue.splice(0, sent);
  }

  #handOverStates(transport: Transport): void {
    for (const [key, state] of this.#states) {
      if (!this.#takesStates(transport)) return;
      this.#states.delete(key);
      const frame = state();
      if (frame !== undefined) this.#give(transport, frame);
    }
  }

  #give(transport: Transport, frame: Frame): void {
    this.#handedOver += frame.bytes;
    transport.send(frame.text);
  }
}
