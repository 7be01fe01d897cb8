import type { Broker, ForwardedFrame, FrameResult } from "../cluster/broker.ts";
import { processOf } from "../cluster/process_id.ts";
import type { Timers } from "../timers.ts";

/** A process that has taken a frame answers within this time, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface ForwardingOptions {
  broker: Broker;
  /** Handles a frame for an event stream of this process. */
  handle: (
    connectionId: string,
    userId: string,
    text: string,
  ) => Promise<FrameResult>;
  timers: Timers;
}

/**
 * Brings frames to the process that has their event stream. A balancer gives the stream and each
 * frame posted for it to any process, so nothing has to stick to one.
 */
export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #waiting = new Map<string, (result: FrameResult) => void>();

  constructor(options: ForwardingOptions) {
    this.#options = options;
    const { broker } = options;
    if (broker.shared !== undefined) {
      void broker.subscribe(`process:${broker.processId}`);
    }
  }

  /**
   * Has a frame handled where its stream is.
   *
   * @returns `unavailable` when the process there cannot be asked or does not answer: whether the
   *   frame was handled is not known then
   */
  async post(
    connectionId: string,
    userId: string,
    text: string,
  ): Promise<FrameResult | "unavailable"> {
    const { broker, handle, timers } = this.#options;
    const owner = processOf(connectionId);
    if (owner === broker.processId || broker.isUp === undefined) {
      return await handle(connectionId, userId, text);
    }
    if (!broker.isUp) return "unavailable";
    const id = crypto.randomUUID();
    const { promise, resolve } = Promise.withResolvers<
      FrameResult | "unavailable"
    >();
    this.#waiting.set(id, resolve);
    const cancel = timers.after(
      ANSWER_TIMEOUT_MS,
      () => resolve("unavailable"),
    );
    const from = broker.processId;
    const receivers = await broker.publish(`process:${owner}`, {
      kind: "frame",
      frame: { id, from, connectionId, userId, text },
    });
    // No process received it: the process is gone, and the stream with it.
    if (receivers === 0) resolve(broker.isUp ? "not_found" : "unavailable");
    try {
      return await promise;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }

  /** Another process has a frame for a stream here. */
  async received(frame: ForwardedFrame): Promise<void> {
    const { broker, handle } = this.#options;
    const { id, from, connectionId, userId, text } = frame;
    const result = await handle(connectionId, userId, text);
    void broker.publish(`process:${from}`, {
      kind: "frame_answer",
      id,
      result,
    });
  }

  /** A frame that was given to another process is answered. */
  answered(id: string, result: FrameResult): void {
    this.#waiting.get(id)?.(result);
  }
}
