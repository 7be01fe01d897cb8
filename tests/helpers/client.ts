/** A strict client of the realtime protocol over a native WebSocket. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type {
  AckData,
  ClientEventName,
  ClientEvents,
  ServerEnvelope,
  ServerEvent,
  ServerEventName,
  ServerEvents,
} from "../../realtime/protocol/protocol.ts";
import type { Person, Served } from "./people.ts";

/** How long a test waits for what must come, in milliseconds. */
const PATIENCE_MS = 5_000;

export interface ClientClose {
  readonly code: number;
  readonly reason: string;
}

type Ack = { success: boolean; [key: string]: unknown };

export interface TestClient extends AsyncDisposable {
  /** Every event received so far, in order; arrays of envelopes are taken apart. */
  readonly events: readonly ServerEvent[];
  /** Every frame received so far, as it came. */
  readonly frames: readonly string[];
  /** Resolves when the socket is closed, by whichever side. */
  readonly closed: Promise<ClientClose>;
  /** Sends a client event and gives its ack, refused or not. Rejects when the socket closes before. */
  request<E extends ClientEventName>(
    event: E,
    data: ClientEvents[E],
    timeoutMs?: number,
  ): Promise<AckData<E>>;
  /** As `request`, but a refusal is an error. */
  expect<E extends ClientEventName>(
    event: E,
    data: ClientEvents[E],
  ): Promise<Extract<AckData<E>, { success: true }>>;
  /** Sends a frame as it is, without an ack. */
  sendRaw(frame: string | Uint8Array<ArrayBuffer>): void;
  /** The data of all events of this name so far. */
  all<E extends ServerEventName>(event: E): ServerEvents[E][];
  /** The first event, past or to come, of this name for which the predicate holds. */
  waitFor<E extends ServerEventName>(
    event: E,
    predicate?: (data: ServerEvents[E]) => boolean,
    timeoutMs?: number,
  ): Promise<ServerEvents[E]>;
  /** Forgets the events received so far. */
  forget(): void;
  close(code?: number): Promise<ClientClose>;
}

/** Opens a socket with the person's bearer token; rejects when the upgrade is refused. */
export async function connect(
  app: Served,
  person: Pick<Person, "token">,
): Promise<TestClient> {
  const socket = new WebSocket(
    `${app.origin.replace(/^http/, "ws")}/ws`,
    [SUBPROTOCOL, BEARER_PREFIX + person.token],
  );
  const client = subscribe(socket);
  await withPatience(opened(socket), "the socket did not open");
  if (socket.protocol !== SUBPROTOCOL) {
    throw new Error(`the server chose the subprotocol "${socket.protocol}"`);
  }
  return client;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener(
      "error",
      (event) =>
        reject(
          new Error(`refused: ${(event as ErrorEvent).message}`),
        ),
    );
  });
}

function subscribe(socket: WebSocket): TestClient {
  let events: ServerEvent[] = [];
  const frames: string[] = [];
  const acks = new Map<number, PromiseWithResolvers<Ack>>();
  const watchers = new Set<() => void>();
  const end = Promise.withResolvers<ClientClose>();
  let gone: ClientClose | undefined;
  /** What the server sent against the protocol: every later call fails with it. */
  let violation: Error | undefined;
  let nextId = 1;

  const receive = (frame: unknown) => {
    if (typeof frame !== "string") throw new Error("a binary frame came");
    frames.push(frame);
    const parsed: ServerEnvelope | ServerEnvelope[] = JSON.parse(frame);
    for (const envelope of Array.isArray(parsed) ? parsed : [parsed]) {
      if (!("ack" in envelope)) {
        events.push(envelope);
        continue;
      }
      const waiting = acks.get(envelope.ack);
      if (waiting === undefined) {
        throw new Error(`an ack nobody waits for came: ${frame}`);
      }
      acks.delete(envelope.ack);
      waiting.resolve(envelope.data);
    }
  };
  socket.onmessage = ({ data }) => {
    try {
      receive(data);
    } catch (error) {
      violation ??= error as Error;
      for (const waiting of acks.values()) waiting.reject(violation);
    }
    for (const look of watchers) look();
  };
  socket.onclose = ({ code, reason }) => {
    gone = { code, reason };
    for (const waiting of acks.values()) {
      waiting.reject(new Error(`closed with ${code} ${reason} before the ack`));
    }
    for (const look of watchers) look();
    end.resolve(gone);
  };

  const client: TestClient = {
    get events() {
      return events;
    },
    frames,
    closed: end.promise,
    async request<E extends ClientEventName>(
      event: E,
      data: ClientEvents[E],
      timeoutMs?: number,
    ) {
      if (violation !== undefined) throw violation;
      if (gone !== undefined) throw new Error(`closed with ${gone.code}`);
      const id = nextId++;
      const waiting = Promise.withResolvers<Ack>();
      acks.set(id, waiting);
      socket.send(JSON.stringify({ id, event, data }));
      const ack = await withPatience(
        waiting.promise,
        `no ack of ${event}`,
        timeoutMs,
      );
      return ack as unknown as AckData<E>;
    },
    async expect(event, data) {
      const ack = await client.request(event, data);
      if (!ack.success) {
        throw new Error(`${event} was refused: ${JSON.stringify(ack)}`);
      }
      return ack as Extract<typeof ack, { success: true }>;
    },
    sendRaw: (frame) => socket.send(frame),
    all: <E extends ServerEventName>(event: E) =>
      events.filter((each) => each.event === event)
        .map((each) => each.data as ServerEvents[E]),
    async waitFor(event, predicate = () => true, timeoutMs = PATIENCE_MS) {
      const found = Promise.withResolvers<ServerEvents[typeof event]>();
      const look = () => {
        const data = client.all(event).find(predicate);
        if (violation !== undefined) found.reject(violation);
        else if (data !== undefined) found.resolve(data);
        else if (gone !== undefined) {
          found.reject(new Error(`closed with ${gone.code} before ${event}`));
        }
      };
      watchers.add(look);
      try {
        look();
        return await withPatience(found.promise, `no ${event}`, timeoutMs);
      } catch (error) {
        const seen = events.map((each) => each.event).join(", ");
        throw new Error(`${(error as Error).message}; seen: ${seen}`);
      } finally {
        watchers.delete(look);
      }
    },
    forget: () => void (events = []),
    close(code = 1000) {
      if (socket.readyState < WebSocket.CLOSING) socket.close(code);
      return end.promise;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      if (violation !== undefined) throw violation;
    },
  };
  return client;
}

async function withPatience<T>(
  promise: Promise<T>,
  failure: string,
  ms = PATIENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${failure} within ${ms} ms`)),
          ms,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
