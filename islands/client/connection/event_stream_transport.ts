/**
 * The wire where WebSockets are blocked: an event stream down, a POST per envelope up.
 *
 * The stream is read with `fetch`, not `EventSource`: that one hides the HTTP status (a login that
 * ran out looks like a dead network) and reconnects by its own rules.
 */

import { CloseCode } from "../../../realtime/protocol/close_codes.ts";
import type { ClientEnvelope } from "../../../realtime/protocol/protocol.ts";
import {
  ABNORMAL_CLOSURE,
  type OpenTransport,
  parseFrame,
  type TransportEvents,
} from "./transport.ts";

export interface EventStreamSettings {
  /** URL of `/api/events`. */
  url: string;
  fetch: typeof fetch;
  /** Added to every request, for clients without a cookie. */
  headers?: Record<string, string> | undefined;
}

/** What a socket would have been closed with, by the HTTP status of an answer. */
const CLOSE_CODES: Record<number, CloseCode> = {
  401: CloseCode.tokenExpired,
  412: CloseCode.otherUser,
};

/** A transport over `GET` and `POST /api/events`. */
export function eventStreamTransport(
  settings: EventStreamSettings,
): OpenTransport {
  return (events) => {
    const stream = new EventStream(settings, events);
    stream.open();
    return stream;
  };
}

class EventStream {
  readonly #abort = new AbortController();
  readonly #settings: EventStreamSettings;
  readonly #events: TransportEvents;
  #connectionId = "";
  /** Envelopes go up one after another: the server must see them in the order they were sent. */
  #uploads: Promise<void> = Promise.resolve();

  constructor(settings: EventStreamSettings, events: TransportEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  async open(): Promise<void> {
    try {
      const response = await this.#request(this.#settings.url, {
        headers: { accept: "text/event-stream" },
      });
      if (!response.ok || response.body === null) {
        return this.#fail(response.status);
      }
      let rest = "";
      const reader = response.body.pipeThrough(new TextDecoderStream())
        .getReader();
      for (
        let part = await reader.read();
        !part.done;
        part = await reader.read()
      ) {
        rest = this.#takeEvents(rest + part.value);
      }
      this.#fail(0);
    } catch {
      this.#fail(0);
    }
  }

  send(envelope: ClientEnvelope): void {
    this.#uploads = this.#uploads.then(() => this.#upload(envelope));
  }

  close(): void {
    this.#abort.abort();
  }

  async #upload(envelope: ClientEnvelope): Promise<void> {
    try {
      const url = `${this.#settings.url}?connection=${
        encodeURIComponent(this.#connectionId)
      }`;
      const response = await this.#request(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(envelope),
      });
      const text = await response.text();
      if (!response.ok) this.#fail(response.status);
      else if (!this.#abort.signal.aborted && text !== "") {
        this.#events.received(parseFrame(text));
      }
    } catch {
      this.#fail(0);
    }
  }

  #request(
    url: string,
    init: RequestInit & { headers: Record<string, string> },
  ): Promise<Response> {
    const headers = { ...init.headers, ...this.#settings.headers };
    return this.#settings.fetch(url, {
      ...init,
      headers,
      signal: this.#abort.signal,
    });
  }

  /** Hands over the complete events in `text` and returns what follows them. */
  #takeEvents(text: string): string {
    const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
    const rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5)).join("\n");
      if (data !== "") this.#receive(data);
    }
    return rest;
  }

  #receive(data: string): void {
    const envelopes = parseFrame(data);
    const first = envelopes[0];
    if (first === undefined) return;
    if ("event" in first) {
      if (first.event === "close") return this.#end(first.data.code);
      if (first.event === "hello") {
        this.#connectionId = first.data.connectionId;
        this.#events.opened();
        envelopes.shift();
      }
    }
    if (envelopes.length > 0) this.#events.received(envelopes);
  }

  #fail(status: number): void {
    this.#end(CLOSE_CODES[status] ?? ABNORMAL_CLOSURE);
  }

  #end(code: number): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#events.closed(code);
  }
}
