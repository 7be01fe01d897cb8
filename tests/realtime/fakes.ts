/** Stand-ins for unit tests of the realtime parts: a wire that records, and connections on it. */

import { UnavailableError } from "../../db/engine/errors.ts";
import { memoryBroker } from "../../realtime/cluster/memory_broker.ts";
import {
  Connection,
  type ConnectionOptions,
} from "../../realtime/connection/connection.ts";
import { ConnectionRegistry } from "../../realtime/connection/registry.ts";
import type { Transport } from "../../realtime/connection/transport.ts";
import type { CloseCode } from "../../realtime/protocol/close_codes.ts";
import type {
  Message,
  ServerEnvelope,
  ServerEventName,
  ServerEvents,
  UserRef,
} from "../../realtime/protocol/protocol.ts";
import { Hub, type HubOptions } from "../../realtime/rooms/hub.ts";
import { createFakeClock, type FakeClock } from "../helpers/clock.ts";

/** A transport whose peer is in the test's hands. */
export interface FakeWire extends Transport {
  /** Every frame handed over, as text. */
  readonly frames: string[];
  /** How often `close` was called, and with what. */
  readonly goodbyes: { code: CloseCode; reason: string }[];
  /** False: the peer takes nothing, what is sent stays buffered. */
  reading: boolean;
  /** Whether the peer answers the wire's pings. */
  answering: boolean;
  /** The peer takes all that waits, or the first so many bytes. */
  take(bytes?: number): void;
  /** Every envelope so far, arrays taken apart. */
  envelopes(): ServerEnvelope[];
  /** The data of all events of this name so far. */
  events<E extends ServerEventName>(event: E): ServerEvents[E][];
  /** `seq` of all messages so far, in order. */
  seqs(): number[];
  forget(): void;
}

export function createWire(): FakeWire {
  let buffered = 0;
  const frames: string[] = [];
  const goodbyes: FakeWire["goodbyes"] = [];
  const wire: FakeWire = {
    frames,
    goodbyes,
    reading: true,
    answering: false,
    send(text) {
      frames.push(text);
      if (!wire.reading) buffered += text.length;
    },
    buffered: () => buffered,
    isAnswering: () => wire.answering,
    close: (code, reason) => void goodbyes.push({ code, reason }),
    take: (bytes = buffered) => void (buffered = Math.max(0, buffered - bytes)),
    envelopes: () => frames.flatMap((frame) => JSON.parse(frame)),
    events: <E extends ServerEventName>(event: E) =>
      wire.envelopes().flatMap((envelope) =>
        "event" in envelope && envelope.event === event
          ? [envelope.data as ServerEvents[E]]
          : []
      ),
    seqs: () => wire.events("message:new").map(({ seq }) => seq),
    forget: () => void (frames.length = 0),
  };
  return wire;
}

let users = 0;

/** A user nobody else is. */
export function createUser(username = `user_${users++}`): UserRef {
  return { id: crypto.randomUUID(), username };
}

/** A connection on a fake wire, with whatever options the test is about. */
export function createConnection(
  clock: FakeClock,
  options: Partial<ConnectionOptions> = {},
): { connection: Connection; wire: FakeWire } {
  const wire = createWire();
  const connection = new Connection({
    id: crypto.randomUUID(),
    user: createUser(),
    issuedAt: clock.now(),
    expiresAt: Infinity,
    frameLimit: { perSecond: 20, burst: 200 },
    clock: clock.now,
    timers: clock,
    onFrame: () => {},
    onClosed: () => {},
    ...options,
  });
  connection.attach(wire);
  return { connection, wire };
}

/** A message as it is published. */
export function createMessage(
  seq: number,
  roomId = "room",
  text = `message ${seq}`,
): Message {
  return {
    messageId: `id-${seq}`,
    roomId,
    seq,
    text,
    createdAt: new Date(1_700_000_000_000 + seq).toISOString(),
    clientMsgId: `client-${seq}`,
    sender: { id: "author", username: "author" },
  };
}

/** Messages with every `seq` from the first to the last. */
export function createMessages(
  first: number,
  last: number,
  roomId = "room",
): Message[] {
  return Array.from(
    { length: last - first + 1 },
    (_, index) => createMessage(first + index, roomId),
  );
}

/** The numbers from the first to the last. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A hub on fake time, the registry beside it, and a way to connect to both. */
export function createHub(options: Partial<HubOptions> = {}) {
  const clock = createFakeClock();
  const { broker = memoryBroker() } = options;
  const connections = new ConnectionRegistry({
    ...{ maxSocketsPerUser: Infinity, maxSocketsPerAddress: Infinity, broker },
  });
  const hub = new Hub({
    broker,
    clock: clock.now,
    timers: clock,
    readAfter: () => Promise.resolve([]),
    readChanged: (_, lastRev) => Promise.resolve({ lastRev, messages: [] }),
    ...options,
  });
  return {
    clock,
    hub,
    connections,
    connect(user: UserRef = createUser()) {
      const made = createConnection(clock, {
        user,
        onClosed(connection) {
          hub.unsubscribeAll(connection);
          connections.remove(connection);
        },
      });
      connections.add(made.connection);
      return made;
    },
    /** Connects, is subscribed to the room and is live from `through` on. */
    subscribe(roomId: string, through = 0, user: UserRef = createUser()) {
      const made = this.connect(user);
      const { feed, subscription } = hub.hold(made.connection, roomId);
      feed.release(subscription, through, through, { rev: 0, newestRead: 0 });
      return { ...made, feed, subscription };
    },
  };
}

/** A function whose calls wait until the test answers them. */
export function createGate<A extends unknown[], R>() {
  const calls: {
    args: A;
    resolve: (result: R) => void;
    reject: (error: unknown) => void;
  }[] = [];
  return {
    /** The calls that wait, oldest first. */
    calls,
    call: (...args: A): Promise<R> => {
      const { promise, resolve, reject } = Promise.withResolvers<R>();
      calls.push({ args, resolve, reject });
      return promise;
    },
    /** Takes the oldest call that waits. */
    next() {
      const call = calls.shift();
      if (call === undefined) throw new Error("no call waits");
      return call;
    },
  };
}

/** A room's messages as the database has them, read when the test says so. */
export function createStore() {
  const stored: Message[] = [];
  const gate = createGate<[string, number, number], Message[]>();
  return {
    stored,
    gate,
    /** Answers the oldest read with what is stored now. */
    answer() {
      const { args: [, after, limit], resolve } = gate.next();
      resolve(stored.filter(({ seq }) => seq > after).slice(0, limit));
    },
  };
}

/** What a query fails with when its connection breaks. */
export function connectionLost(): Error {
  return new UnavailableError("Connection terminated");
}

/** An error with a SQLSTATE. */
export function sqlError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}
