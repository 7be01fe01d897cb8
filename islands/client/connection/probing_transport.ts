/** Looks, while the event stream is in use, whether WebSockets have come to work again. */

import type { Clock } from "../clock.ts";
import { ABNORMAL_CLOSURE, type OpenTransport } from "./transport.ts";

/** Time before the first look; four times as long before each next one, up to the longest. In milliseconds. */
export const FIRST_PROBE_MS = 1_000;
export const LONGEST_PROBE_MS = 60_000;

/** How long a probe may take, in milliseconds. */
const PROBE_TIMEOUT_MS = 10_000;

export interface ProbingOptions {
  eventStream: OpenTransport;
  websocket: OpenTransport;
  clock: Clock;
  /** Called after each look. */
  probed: (works: boolean) => void;
}

/**
 * The event stream, given up as soon as a WebSocket opens: the line is then reported as closed, and
 * the next one is expected to be a WebSocket.
 *
 * @param probed told with each look whether a WebSocket has opened
 */
export function probingTransport(
  { eventStream, websocket, clock, probed }: ProbingOptions,
): OpenTransport {
  return (events) => {
    let cancel = () => {};
    let waitedMs = 0;
    const probe = () => {
      const finish = (isOpen: boolean) => {
        cancel();
        probed(isOpen);
        if (!isOpen) {
          return probeAfter(Math.min(4 * waitedMs, LONGEST_PROBE_MS));
        }
        stream.close();
        events.closed(ABNORMAL_CLOSURE);
      };
      const socket = websocket({
        opened: () => finish(true),
        received: () => {},
        closed: () => finish(false),
      });
      const cancelTimeout = clock.after(PROBE_TIMEOUT_MS, () => finish(false));
      cancel = () => {
        cancelTimeout();
        socket.close();
      };
    };
    const probeAfter = (ms: number) => {
      waitedMs = ms;
      cancel = clock.after(ms, probe);
    };
    const stream = eventStream({
      opened() {
        probeAfter(FIRST_PROBE_MS);
        events.opened();
      },
      received: events.received,
      closed(code) {
        cancel();
        events.closed(code);
      },
    });
    return {
      send: stream.send.bind(stream),
      close() {
        cancel();
        stream.close();
      },
    };
  };
}
