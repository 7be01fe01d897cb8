/** Looks, while the event stream is in use, whether WebSockets have come to work again. */

import type { Clock } from "./clock.ts";
import { ABNORMAL_CLOSURE, type OpenTransport } from "./transport.ts";

/** First and later looks, in milliseconds. */
export const FIRST_PROBE_MS = 5_000;
export const PROBE_INTERVAL_MS = 60_000;

/** How long a probe may take, in milliseconds. */
const PROBE_TIMEOUT_MS = 10_000;

/**
 * The event stream, given up as soon as a WebSocket opens: the line is then reported as closed, and
 * the next one is expected to be a WebSocket.
 *
 * @param works told when a WebSocket has opened
 */
export function probingTransport(
  { eventStream, websocket, clock, works }: {
    eventStream: OpenTransport;
    websocket: OpenTransport;
    clock: Clock;
    works: () => void;
  },
): OpenTransport {
  return (events) => {
    let cancel = () => {};
    const probe = () => {
      const finish = (isOpen: boolean) => {
        cancel();
        if (!isOpen) return probeAfter(PROBE_INTERVAL_MS);
        works();
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
