/**
 * Drives the connection: owns the line and the timers, and does what the state of
 * `connection_state.ts` asks for. Lost lines, time-outs and refusals all end in one place, `#lose`.
 */

import { computed, signal } from "@preact/signals";
import { PING_INTERVAL_MS } from "../../../realtime/protocol/limits.ts";
import type {
  AckData,
  ClientEnvelope,
  ClientEventName,
  ClientEvents,
  ServerEnvelope,
  ServerEvent,
} from "../../../realtime/protocol/protocol.ts";
import type { Clock } from "../clock.ts";
import {
  type ConnectionEvent,
  type ConnectionState,
  INITIAL_STATE,
  isOnLine,
  reduce,
  type StopReason,
} from "./connection_state.ts";
import {
  ABNORMAL_CLOSURE,
  type OpenTransport,
  type Transport,
} from "./transport.ts";

/** How long a line may take to open, and be silent while a call waits for its answer, in milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;

/** How long a call may wait on a line that is not silent, in milliseconds: a slow one has much to bring. */
export const LONGEST_CALL_MS = 120_000;

/** How long a line may be silent when we doubt it (the tab came back), in milliseconds. */
export const DOUBT_TIMEOUT_MS = 4_000;

/** A call the server did not answer. Whether it was carried out is unknown. */
export interface CallFailure {
  success: false;
  code: "connection_closed" | "timed_out";
  error: string;
}

export type CallResult<E extends ClientEventName> = AckData<E> | CallFailure;

export interface ConnectionOptions {
  open: OpenTransport;
  clock: Clock;
  /** In [0, 1), for the jitter. */
  random: () => number;
  /** Brings every room up to date over the fresh line. True: the server accepted, we are live. */
  sync: () => Promise<boolean>;
  onEvent: (event: ServerEvent) => void;
  onState: (state: ConnectionState) => void;
}

interface OpenCall {
  finish: (result: unknown) => void;
  cancelTimeout: () => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #calls = new Map<number, OpenCall>();
  readonly #state = signal(INITIAL_STATE);
  readonly #isLive = computed(() => this.state.phase === "live");
  #line: Transport | undefined;
  #lastCallId = 0;
  /** When something last came in by the line. */
  #heardAt = -Infinity;
  #cancelTimer = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** What the connection is doing; a signal. */
  get state(): ConnectionState {
    return this.#state.value;
  }

  /** Whether the line is open and the rooms that are seen first are up to date; a signal. */
  get isLive(): boolean {
    return this.#isLive.value;
  }

  /** Connects, from `idle` or after having stopped. */
  start(): void {
    this.#dispatch({ type: "start" });
  }

  /** Ends the line for good. */
  stop(why: StopReason = "closed"): void {
    this.#endLine();
    this.#dispatch({ type: "stop", why });
  }

  /** The network or the tab is back: tries at once, or makes sure that a line we have still lives. */
  wake(): void {
    if (this.isLive) this.#ping(DOUBT_TIMEOUT_MS);
    this.#dispatch({ type: "wake" });
  }

  /** The browser says that the network is gone: a line we believe in is dead. */
  networkLost(): void {
    this.#lose(this.state.attempt, ABNORMAL_CLOSURE);
  }

  /**
   * Sends an event and waits for its ack. Never rejects and never hangs: without an answer it gives
   * `connection_closed` or `timed_out`.
   *
   * @param silenceMs how long nothing may come in before the call has timed out, in milliseconds
   */
  call<E extends ClientEventName>(
    event: E,
    data: ClientEvents[E],
    silenceMs = CALL_TIMEOUT_MS,
  ): Promise<CallResult<E>> {
    return new Promise((resolve) => {
      const { phase } = this.state;
      if (
        this.#line === undefined || (phase !== "live" && phase !== "syncing")
      ) {
        return resolve(failure("connection_closed"));
      }
      const id = ++this.#lastCallId;
      const finish = (result: unknown) => {
        this.#calls.delete(id);
        resolve(result as CallResult<E>);
      };
      const call = { finish, cancelTimeout: () => {} };
      this.#calls.set(id, call);
      this.#watch(call, silenceMs);
      this.#line.send({ id, event, data } as ClientEnvelope);
    });
  }

  /** Ends a call when the line has been silent for too long, or the call has waited for very long. */
  #watch(call: OpenCall, silenceMs: number): void {
    const { clock } = this.#options;
    const startedAt = clock.now();
    const watch = (ms: number) => {
      call.cancelTimeout = clock.after(ms, () => {
        const now = clock.now();
        const left = Math.min(
          Math.max(startedAt, this.#heardAt) + silenceMs,
          startedAt + LONGEST_CALL_MS,
        ) - now;
        if (left > 0) watch(left);
        else call.finish(failure("timed_out"));
      });
    };
    watch(silenceMs);
  }

  /** Sends an event nobody waits for; dropped when there is no line. */
  notify<E extends ClientEventName>(event: E, data: ClientEvents[E]): void {
    if (this.isLive) {
      this.#line?.send({ event, data } as ClientEnvelope);
    }
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.state;
    const after = reduce(before, event);
    if (after === before) return;
    this.#state.value = after;
    this.#cancelTimer();
    this.#enter(after);
    this.#options.onState(after);
  }

  #enter(state: ConnectionState): void {
    const { clock } = this.#options;
    switch (state.phase) {
      case "connecting":
        return this.#open(state.attempt);
      case "syncing":
        return void this.#sync(state.attempt);
      case "live":
        return this.#pingAfterInterval();
      case "waiting":
        this.#cancelTimer = clock.after(
          Math.max(0, state.retryAt - clock.now()),
          () => this.#dispatch({ type: "retry" }),
        );
    }
  }

  #open(attempt: number): void {
    const { open, clock } = this.#options;
    const closed = (code: number) => this.#lose(attempt, code);
    this.#cancelTimer = clock.after(
      CALL_TIMEOUT_MS,
      () => closed(ABNORMAL_CLOSURE),
    );
    this.#line = open({
      opened: () => this.#dispatch({ type: "opened", attempt }),
      received: (envelopes) => this.#received(attempt, envelopes),
      closed,
    });
  }

  #lose(attempt: number, code: number): void {
    if (attempt !== this.state.attempt || !isOnLine(this.state)) return;
    this.#endLine();
    const { clock, random } = this.#options;
    this.#dispatch({
      type: "lost",
      attempt,
      code,
      now: clock.now(),
      random: random(),
    });
  }

  #endLine(): void {
    this.#line?.close();
    this.#line = undefined;
    for (const call of [...this.#calls.values()]) {
      call.cancelTimeout();
      call.finish(failure("connection_closed"));
    }
  }

  async #sync(attempt: number): Promise<void> {
    if (await this.#options.sync()) this.#dispatch({ type: "synced", attempt });
    else this.#lose(attempt, ABNORMAL_CLOSURE);
  }

  #received(attempt: number, envelopes: ServerEnvelope[]): void {
    if (attempt !== this.state.attempt || !isOnLine(this.state)) return;
    this.#heardAt = this.#options.clock.now();
    for (const envelope of envelopes) {
      if ("event" in envelope) this.#options.onEvent(envelope);
      else this.#answer(envelope.ack, envelope.data);
    }
  }

  #answer(id: number, data: unknown): void {
    const call = this.#calls.get(id);
    call?.cancelTimeout();
    call?.finish(data);
  }

  #pingAfterInterval(): void {
    this.#cancelTimer = this.#options.clock.after(PING_INTERVAL_MS, () => {
      this.#ping(CALL_TIMEOUT_MS);
      this.#pingAfterInterval();
    });
  }

  async #ping(silenceMs: number): Promise<void> {
    const { attempt } = this.state;
    const answer = await this.call("presence:ping", {}, silenceMs);
    if (!answer.success && answer.code === "timed_out") {
      this.#lose(attempt, ABNORMAL_CLOSURE);
    }
  }
}

function failure(code: CallFailure["code"]): CallFailure {
  return { success: false, code, error: code };
}
