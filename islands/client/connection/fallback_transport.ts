/** Chooses between the two wires: WebSocket, and the event stream where that is blocked. */

import { signal } from "@preact/signals";
import type { OpenTransport, TransportEvents } from "./transport.ts";

/** So many failed WebSocket upgrades in a row lead to the event stream. */
export const UPGRADES_BEFORE_FALLBACK = 2;

/** Which wire is in use. */
export type Wire = "websocket" | "event_stream";

export class FallbackTransport {
  /** The wire of the newest line. */
  wire: Wire = "websocket";
  readonly #isBlocked = signal(false);
  readonly #websocket: OpenTransport;
  readonly #eventStream: OpenTransport;
  #failedUpgrades = 0;

  constructor(websocket: OpenTransport, eventStream: OpenTransport) {
    this.#websocket = websocket;
    this.#eventStream = eventStream;
  }

  /** WebSockets failed while the event stream was open: it is not the server that was away. A signal. */
  get isBlocked(): boolean {
    return this.#isBlocked.value;
  }

  /** Opens a line over the wire that is most likely to work. */
  readonly open: OpenTransport = (events) => {
    const isStream = this.#failedUpgrades >= UPGRADES_BEFORE_FALLBACK;
    this.wire = isStream ? "event_stream" : "websocket";
    let isSettled = false;
    const settle = (isOpen: boolean) => {
      if (isSettled) return;
      isSettled = true;
      if (isOpen && !isStream) this.#isBlocked.value = false;
      if (!isOpen && !isStream) this.#failedUpgrades++;
      // When the stream does not open either, the server is down, not WebSockets blocked.
      else if (isOpen !== isStream) this.#failedUpgrades = 0;
    };
    const observed: TransportEvents = {
      opened() {
        settle(true);
        events.opened();
      },
      received: events.received,
      closed(code) {
        settle(false);
        events.closed(code);
      },
    };
    const line = (isStream ? this.#eventStream : this.#websocket)(observed);
    return {
      send: line.send.bind(line),
      close() {
        settle(false);
        line.close();
      },
    };
  };

  /** While the event stream was open a WebSocket has opened, or has not. */
  probed(works: boolean): void {
    this.#isBlocked.value = !works;
    if (works) this.forgetFailures();
  }

  /** WebSockets may work again: the network is another one. */
  forgetFailures(): void {
    this.#failedUpgrades = 0;
  }
}
