/**
 * The code that runs in the browser, outside of it: the real chat client over Deno's WebSocket and
 * `fetch`, with storage in memory. Every frame is overheard for the book of the run.
 */

import {
  type Api,
  createApi,
  newestMessages,
  type Room,
} from "../../islands/client/api.ts";
import { ChatClient } from "../../islands/client/chat_client.ts";
import { eventStreamTransport } from "../../islands/client/connection/event_stream_transport.ts";
import { FallbackTransport } from "../../islands/client/connection/fallback_transport.ts";
import { loadOlder } from "../../islands/client/messages/history.ts";
import { POSITIONS_KEY } from "../../islands/client/rooms/positions.ts";
import { probingTransport } from "../../islands/client/connection/probing_transport.ts";
import {
  MemoryStorage,
  readJson,
} from "../../islands/client/storage/storage.ts";
import type {
  OpenTransport,
  TransportEvents,
} from "../../islands/client/connection/transport.ts";
import { webSocketTransport } from "../../islands/client/connection/websocket_transport.ts";
import type {
  Message,
  ServerEnvelope,
} from "../../realtime/protocol/protocol.ts";
import type { Person } from "../helpers/people.ts";
import { fastClock } from "./fast_clock.ts";
import type { History, Sent, View } from "./history.ts";
import { FaultProxy, type ProxiedLine, type Target } from "./proxy.ts";
import type { Random } from "./random.ts";

/** A page that does not load is loaded again after this, in milliseconds. */
const RELOAD_MS = 300;

/** Longest wait for an answer over HTTP, in milliseconds. A browser's user would reload by then. */
const HTTP_LIMIT_MS = 5_000;

/** Messages waiting to be sent at most; further ones are not written. */
const MAX_WAITING = 15;

export interface BrowserClientOptions {
  readonly name: string;
  readonly person: Person;
  readonly roomIds: readonly string[];
  /** Of the server, or what chooses a machine for each connection. */
  readonly serverPort: Target;
  readonly history: History;
  readonly random: Random;
  /** Mean time between two messages, in milliseconds. */
  readonly thinkMs: number;
  /** How much faster the client's clock runs than ours. */
  readonly pace: number;
}

export class BrowserClient {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** Whether a fault has taken hold of this client, so that no second one does. */
  busy = false;
  readonly #options: BrowserClientOptions;
  readonly #storage = new MemoryStorage();
  #chat: ChatClient | undefined;
  #transport: FallbackTransport | undefined;
  #isLoading = false;
  /** What the pages before this one held. */
  #closedViews: View[] = [];
  #webSocketsBlocked = false;
  /** Called with the id the outbox gives to what is being written. */
  #named: (clientMsgId: string) => void = () => {};
  #written = 0;
  #thinkTimer: ReturnType<typeof setTimeout> | undefined;
  #talking = false;
  #closed = false;

  private constructor(options: BrowserClientOptions, proxy: FaultProxy) {
    this.name = options.name;
    this.proxy = proxy;
    this.#options = options;
  }

  static async create(options: BrowserClientOptions): Promise<BrowserClient> {
    return new BrowserClient(
      options,
      await FaultProxy.listen(options.serverPort),
    );
  }

  /** Loads the page: rooms and the busy room's newest messages come from the server, the rest from storage. */
  async load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#unload();
    const api = this.#api();
    while (!this.#closed) {
      const rooms = await api.get<Room[]>("/rooms");
      const [roomId] = this.#options.roomIds;
      const page = await newestMessages(api, roomId!);
      if (rooms.ok && page.ok && !this.#closed) {
        this.#run(api, rooms.data, { roomId: roomId!, page: page.data });
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
    }
    this.#isLoading = false;
  }

  /** The page comes back to the foreground, or the network does. */
  wake(): void {
    this.#chat?.connection.wake();
  }

  /** The browser says that the network is gone. */
  networkLost(): void {
    this.#chat?.connection.networkLost();
  }

  /** Ends the line and stays away until {@link connect}. */
  goAway(): void {
    this.#chat?.connection.stop();
  }

  connect(): void {
    this.#chat?.connection.start();
  }

  /** Whether a proxy on the way lets no WebSocket through. */
  blockWebSockets(blocked: boolean): void {
    this.#webSocketsBlocked = blocked;
  }

  startTalking(): void {
    this.#talking = true;
    this.#think();
  }

  stopTalking(): void {
    this.#talking = false;
    clearTimeout(this.#thinkTimer);
  }

  get isSettled(): boolean {
    const chat = this.#chat;
    return chat !== undefined && !this.#isLoading &&
      chat.connection.state.phase === "live" &&
      this.#options.roomIds.every((roomId) =>
        chat.rooms.get(roomId) !== undefined &&
        !chat.rooms.get(roomId)!.store.hasGap &&
        !chat.rooms.get(roomId)!.store.isStale &&
        chat.outbox.entries(roomId).length === 0
      );
  }

  get state(): string {
    const chat = this.#chat;
    if (chat === undefined) return `${this.name}: loading`;
    const { state } = chat.connection;
    const wire = this.#transport?.wire;
    const waiting = this.#options.roomIds.reduce(
      (sum, roomId) => sum + chat.outbox.entries(roomId).length,
      0,
    );
    const why = state.phase === "stopped" ? ` (${state.why})` : "";
    const rooms = this.#options.roomIds.map((roomId) =>
      chat.rooms.get(roomId)?.store
    );
    const gaps = rooms.filter((store) => store?.hasGap).length;
    const gone = rooms.filter((store) => store === undefined).length;
    return `${this.name}: ${state.phase}${why} over ${wire}, ${waiting} waiting, ${gaps} rooms with a gap, ${gone} gone`;
  }

  /** The client has given up although nothing allows it to. */
  get wrongEnd(): string | undefined {
    const state = this.#chat?.connection.state;
    return state?.phase === "stopped" &&
        (state.why === "signedOut" || state.why === "removed")
      ? state.why
      : undefined;
  }

  position(roomId: string): number {
    return this.#chat?.rooms.get(roomId)?.store.position ?? 0;
  }

  rev(roomId: string): number {
    return this.#chat?.rooms.get(roomId)?.store.rev ?? 0;
  }

  /** Scrolls up to the first message of the busy room. @returns all that was seen on the way, oldest first */
  async scrollBack(): Promise<Message[]> {
    const chat = this.#chat!;
    const state = chat.rooms.get(this.#options.roomIds[0]!)!;
    const seen = new Map<number, Message>();
    for (let from = Infinity;;) {
      for (const message of state.store.messages) {
        seen.set(message.seq, message);
      }
      const first = state.store.messages[0]?.seq ?? 1;
      if (first === 1 || first >= from) break;
      from = first;
      // What is far below where somebody reads is dropped meanwhile.
      state.reading = first;
      await loadOlder(chat.rooms, state);
    }
    state.reading = undefined;
    return [...seen.values()].sort((a, b) => a.seq - b.seq);
  }

  views(): View[] {
    return [...this.#closedViews, ...this.#openViews(true)];
  }

  /** What the storage says differs from what the page holds: a position must never be ahead of its messages. */
  storedAhead(): string[] {
    const positions = readJson(this.#storage, POSITIONS_KEY) as
      | Record<string, number>
      | undefined;
    return this.#openViews(true).flatMap(({ roomId, position }) => {
      const stored = positions?.[roomId] ?? 0;
      return stored > position
        ? [`${this.name} in ${roomId}: stored ${stored}, holds ${position}`]
        : [];
    });
  }

  /** Lets go of earlier pages that were checked. */
  forgetSeen(): void {
    this.#closedViews = [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.stopTalking();
    this.#unload();
    await this.proxy.close();
  }

  get proxiedLines(): readonly ProxiedLine[] {
    return this.proxy.lines;
  }

  #unload(): void {
    this.#chat?.connection.stop();
    this.#closedViews.push(...this.#openViews(false));
    this.#chat = undefined;
  }

  #openViews(mustBeComplete: boolean): View[] {
    const chat = this.#chat;
    if (chat === undefined) return [];
    return this.#options.roomIds.flatMap((roomId) => {
      const store = chat.rooms.get(roomId)?.store;
      if (store === undefined) return [];
      return [{
        client: this.name,
        roomId,
        messages: [...store.messages],
        position: store.position,
        rev: store.rev,
        mustBeComplete,
      }];
    });
  }

  #api(): Api {
    return createApi({
      base: `http://127.0.0.1:${this.proxy.port}/api`,
      headers: this.#headers,
      fetch: (input, init) =>
        fetch(input, {
          ...init,
          signal: init?.signal ?? AbortSignal.timeout(HTTP_LIMIT_MS),
        }),
    });
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#options.person.token}` };
  }

  #run(
    api: Api,
    rooms: readonly Room[],
    opened: ConstructorParameters<typeof ChatClient>[0]["opened"],
  ): void {
    const { person, random, pace } = this.#options;
    const { port } = this.proxy;
    const webSocket = webSocketTransport({
      url: `ws://127.0.0.1:${port}/ws`,
      accessToken: person.token,
      WebSocket,
    });
    const eventStream = eventStreamTransport({
      url: `http://127.0.0.1:${port}/api/events`,
      fetch,
      headers: this.#headers,
    });
    const clock = fastClock(pace);
    const websocket = this.#overhear((events) =>
      (this.#webSocketsBlocked ? blockedTransport : webSocket)(events)
    );
    const transport: FallbackTransport = new FallbackTransport(
      websocket,
      probingTransport({
        eventStream: this.#overhear(eventStream),
        websocket,
        clock,
        probed: (works) => transport.probed(works),
      }),
    );
    this.#transport = transport;
    this.#chat = new ChatClient({
      user: person.user,
      rooms,
      opened,
      api,
      open: transport.open,
      storage: this.#storage,
      clock,
      random: () => random.next(),
      newId: () => {
        const id = crypto.randomUUID();
        this.#named(id);
        return id;
      },
    });
    this.#chat.connection.start();
  }

  /** A transport that tells the history what passes through it. */
  #overhear(open: OpenTransport): OpenTransport {
    const { history, person } = this.#options;
    return (events) => {
      history.count("connects");
      const sends = new Map<number, Sent>();
      const listened: TransportEvents = {
        ...events,
        opened: () => events.opened(),
        received: (envelopes) => {
          for (const envelope of envelopes) this.#hear(envelope, sends);
          events.received(envelopes);
        },
        closed: (code) => {
          history.count(`closed ${code || "without a code"}`);
          events.closed(code);
        },
      };
      const transport = open(listened);
      return {
        close: () => transport.close(),
        send: (envelope) => {
          if (envelope.event === "message:send" && envelope.id !== undefined) {
            const key = { ...envelope.data, userId: person.user.id };
            const sent = history.find(key);
            if (sent === undefined) {
              history.violate(
                "a client sends only what was written",
                JSON.stringify(envelope),
              );
            } else {
              sent.frames++;
              sends.set(envelope.id, sent);
            }
          }
          transport.send(envelope);
        },
      };
    };
  }

  #hear(envelope: ServerEnvelope, sends: ReadonlyMap<number, Sent>): void {
    const { history } = this.#options;
    if ("event" in envelope) {
      if (envelope.event === "message:new") {
        history.saw(envelope.data.roomId, envelope.data.seq);
        history.count("deliveries");
        const { sender, roomId, clientMsgId } = envelope.data;
        const sent = history.find({ userId: sender.id, roomId, clientMsgId });
        if (sent?.author === this.name) sent.seen = true;
      }
      return;
    }
    const { success, results } = envelope.data;
    if (success && Array.isArray(results)) history.count("recoveries");
    const sent = sends.get(envelope.ack);
    if (sent === undefined) return;
    if (success) {
      const { messageId, seq, createdAt, isDuplicate = false } = envelope.data;
      history.acked(
        sent,
        { messageId, seq, createdAt, isDuplicate } as Sent["acks"][number],
      );
    } else history.refused(sent, String(envelope.data.code));
  }

  #think(): void {
    const { random, thinkMs } = this.#options;
    this.#thinkTimer = setTimeout(() => {
      if (!this.#talking) return;
      this.#write();
      this.#think();
    }, random.pause(thinkMs));
  }

  #write(): void {
    const { random, roomIds, history, person } = this.#options;
    const chat = this.#chat;
    if (chat === undefined) return;
    const roomId = random.chance(0.7) ? roomIds[0]! : random.pick(roomIds);
    if (chat.outbox.entries(roomId).length >= MAX_WAITING) return;
    const number = ++this.#written;
    const text = ` ${this.name} ${number} – ünïcödé 🦕`;
    this.#named = (clientMsgId) =>
      history.intend({
        userId: person.user.id,
        roomId,
        clientMsgId,
        text,
        author: this.name,
        order: number,
      });
    chat.send(roomId, text);
  }
}

/** What a network does that knows no WebSocket: the upgrade fails. */
const blockedTransport: OpenTransport = (events) => {
  const timer = setTimeout(() => events.closed(1006), 5);
  return { send: () => {}, close: () => clearTimeout(timer) };
};
