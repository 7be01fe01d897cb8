/** Stand-ins for time and the network, for the tests of this folder. */

import type {
  ClientEnvelope,
  Message,
  ServerEnvelope,
} from "../../realtime/protocol/protocol.ts";
import type { Clock } from "./clock.ts";
// It is loaded late by the client: here it is there before the first test asks for it.
import "./rooms/room_refresh.ts";
import type { OpenTransport, TransportEvents } from "./connection/transport.ts";

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  /** By how much the time of day has been set forward, or back. */
  step = 0;

  date(): number {
    return this.#now + this.step;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves the time forward; what falls due runs in order, each followed by the promises it settled. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let due = this.#due(end); due !== undefined; due = this.#due(end)) {
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await settle();
    }
    this.#now = end;
  }

  #due(end: number) {
    return this.#timers.filter(({ at }) => at <= end).sort((a, b) =>
      a.at - b.at
    )[0];
  }
}

/** Lets promises that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** One line a client opened, seen from the server's end. */
export class FakeLine {
  readonly sent: ClientEnvelope[] = [];
  isClosedByClient = false;
  /** Whether `presence:ping` is answered without being told to. */
  answersPings = false;
  constructor(readonly events: TransportEvents) {}

  open(): void {
    this.events.opened();
  }

  push(...envelopes: ServerEnvelope[]): void {
    this.events.received(envelopes);
  }

  drop(code = 1006): void {
    this.events.closed(code);
  }

  /** What was sent under an event name. */
  named<E extends ClientEnvelope["event"]>(event: E) {
    return this.sent.filter((sent) =>
      sent.event === event
    ) as (ClientEnvelope & { event: E })[];
  }

  /** Answers the newest unanswered call of an event. */
  ack(
    event: ClientEnvelope["event"],
    data: Record<string, unknown> = {},
  ): void {
    const call = this.named(event).at(-1);
    if (call?.id === undefined) {
      throw new Error(`no call of ${event} to answer`);
    }
    this.push({ ack: call.id, data: { success: true, ...data } });
  }

  refuse(
    event: ClientEnvelope["event"],
    code: string,
    more: Record<string, unknown> = {},
  ): void {
    const call = this.named(event).at(-1);
    if (call?.id === undefined) {
      throw new Error(`no call of ${event} to refuse`);
    }
    this.push({
      ack: call.id,
      data: { success: false, code, error: code, ...more },
    });
  }
}

/** A network that opens lines only when told to, and keeps them all. */
export class FakeNetwork {
  readonly lines: FakeLine[] = [];

  readonly open: OpenTransport = (events) => {
    const line = new FakeLine(events);
    this.lines.push(line);
    return {
      send: (envelope) => {
        line.sent.push(envelope);
        if (envelope.event === "presence:ping" && line.answersPings) {
          line.ack("presence:ping");
        }
      },
      close: () => line.isClosedByClient = true,
    };
  };

  get last(): FakeLine {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error("no line was opened");
    return line;
  }
}

/** A message of a room, number `seq`. */
export function message(
  seq: number,
  more: Partial<Message> = {},
): Message {
  return {
    messageId: `message-${seq}`,
    roomId: "room",
    seq,
    text: `text ${seq}`,
    createdAt: new Date(1_700_000_000_000 + seq).toISOString(),
    clientMsgId: `client-${seq}`,
    sender: { id: "other", username: "other" },
    ...more,
  };
}
