/**
 * The chat without a page: rooms, messages, connection and outbox put together. What is known here are
 * signals: components read them, and are drawn again when they change. The page calls the methods; so
 * does any program that wants to behave like a browser.
 */

import { batch, computed } from "@preact/signals";
import type {
  Message,
  Quote,
  RoomRoster,
  RoomSystem,
  ServerEvent,
  UserRef,
} from "../../realtime/protocol/protocol.ts";
import { isBlank } from "../../text/blank.ts";
import type { Api, MessagePage, Room } from "./api.ts";
import type { Clock } from "./clock.ts";
import { Connection } from "./connection/connection.ts";
import type { ConnectionState } from "./connection/connection_state.ts";
import { DEVICE_USER_KEY } from "./storage/device.ts";
import { Drafts } from "./messages/drafts.ts";
import { JoinedRooms } from "./rooms/joined_rooms.ts";
import { type Locks, Outbox, type OutboxEntry } from "./messages/outbox.ts";
import type { RoomState } from "./rooms/room_state.ts";
import {
  type KeyValueStorage,
  MemoryStorage,
  readJson,
} from "./storage/storage.ts";
import type { OpenTransport } from "./connection/transport.ts";
import { TypingSignal } from "./presence/typing.ts";

/** A mute is never believed to last shorter or longer than this, in milliseconds. */
const MIN_MUTE_MS = 1_000;
const MAX_MUTE_MS = 600_000;

/** Written when the user has entered a room, so that other tabs ask for the rooms. */
export const ROOMS_CHANGED_KEY = "chatket_rooms_changed";

export interface ChatClientOptions {
  user: UserRef;
  /** The user's rooms when the page was made, most recently active first. */
  rooms: readonly Room[];
  /** Whether these are all; if not the others are read once the line is live. */
  hasAllRooms?: boolean;
  /** The room shown first and its newest page, when the page brought one along. */
  opened?: {
    roomId: string;
    page: MessagePage;
    roster?: RoomRoster | undefined;
  } | undefined;
  api: Api;
  /** Opens a line to the server. */
  open: OpenTransport;
  /** What all tabs of the browser share. */
  storage: KeyValueStorage;
  /** What outlives a reload of this tab alone; forgetful when left out. */
  tabStorage?: KeyValueStorage | undefined;
  locks?: Locks | undefined;
  clock: Clock;
  random: () => number;
  newId: () => string;
}

export class ChatClient {
  readonly user: UserRef;
  readonly api: Api;
  readonly rooms: JoinedRooms;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly clock: Clock;
  /** What all tabs of the browser share. */
  readonly storage: KeyValueStorage;
  readonly #typing = new Map<string, TypingSignal>();
  readonly #unread = computed(() =>
    this.rooms.list.reduce((sum, room) => sum + room.unread, 0)
  );
  /** Whether rooms may be missing: not all came with the page, or the line was away. */
  #mayMissRooms: boolean;

  constructor(options: ChatClientOptions) {
    const { user, api, storage, clock } = options;
    this.user = user;
    this.api = api;
    this.clock = clock;
    this.storage = storage;
    this.#mayMissRooms = options.hasAllRooms === false;
    this.drafts = new Drafts({
      userId: user.id,
      storage,
      tabStorage: options.tabStorage ?? new MemoryStorage(),
      clock,
    });
    this.rooms = new JoinedRooms({
      user,
      api,
      storage,
      clock,
      sync: (data) => this.connection.call("rooms:sync", data),
    });
    this.outbox = new Outbox({
      userId: user.id,
      storage,
      locks: options.locks,
      clock,
      newId: options.newId,
      send: ({ roomId, text, clientMsgId, replyTo }) =>
        this.connection.call("message:send", {
          ...{ roomId, text, clientMsgId },
          ...(replyTo && { replyTo: replyTo.messageId }),
        }),
      onSent: (entry, ack) => this.#sent(entry, ack),
      muteDelay: (roomId, until) => this.#muteDelay(roomId, until),
    });
    this.connection = new Connection({
      open: options.open,
      clock,
      random: options.random,
      sync: () => this.rooms.stages.syncFirst(this.rooms.list),
      onEvent: (event) => batch(() => this.#handle(event)),
      onState: (state) => this.#connectionChanged(state),
    });
    for (const room of options.rooms.toReversed()) this.rooms.add(room);
    const { roomId = "", page, roster } = options.opened ?? {};
    const opened = this.rooms.get(roomId);
    if (opened && page) this.rooms.load(opened, page);
    if (opened) opened.roster = roster;
  }

  /** Messages of others not yet read, over all rooms. */
  get unread(): number {
    return this.#unread.value;
  }

  /** Writes a message, or an answer to one: shown at once, sent as soon as the line allows. */
  send(roomId: string, text: string, replyTo?: Quote): void {
    if (isBlank(text)) return;
    this.#typingIn(roomId).stop();
    // First: other tabs see from it that the same draft of theirs was sent.
    this.outbox.add(roomId, text.trim(), replyTo);
    this.drafts.write(roomId, "");
    // A draft that was sent must not come back, also when the browser ends now.
    this.drafts.writing.flush();
  }

  /** What stands in a room's text box: kept as its draft and announced as typing. */
  typed(roomId: string, text: string): void {
    this.drafts.write(roomId, text);
    this.#typingIn(roomId).changed(text);
  }

  /** Writes now what is written a little later otherwise. To be called before the page goes. */
  save(): void {
    this.drafts.writing.flush();
    this.rooms.positions.writing.flush();
  }

  /** Writes nothing of that any more: the user has signed out. */
  discard(): void {
    this.drafts.writing.cancel();
    this.rooms.positions.writing.cancel();
  }

  /** The user has seen a room to its end: clears its badge, here and on the user's other devices. */
  markRead(roomId: string): void {
    const state = this.rooms.get(roomId);
    const lastSeq = state?.store.position ?? 0;
    if (state === undefined || state.readSeq >= lastSeq) return;
    if (!this.connection.isLive) return;
    state.read(lastSeq, this.user);
    this.connection.notify("room:read", { roomId, lastSeq });
  }

  /** Another tab changed the storage; null as key means all of it. */
  storageChanged(key: string | null): void {
    this.outbox.storageChanged(key);
    if (key === ROOMS_CHANGED_KEY) this.rooms.refresh();
    if (key === null) return;
    if (
      key === DEVICE_USER_KEY && readJson(this.storage, key) !== this.user.id
    ) this.connection.stop("otherUser");
    // The key of a message that waits ends with its id, a UUID.
    const sent = this.outbox.get(key.slice(-36));
    if (sent && !sent.failed && !sent.isSent) {
      this.drafts.sentElsewhere(sent.roomId, sent.text);
    }
    this.drafts.storageChanged(key);
    this.rooms.positions.storageChanged(key);
  }

  #connectionChanged(state: ConnectionState): void {
    if (state.phase === "live") {
      this.outbox.resume();
      this.rooms.stages.syncRest();
      if (this.#mayMissRooms) this.rooms.refresh();
      this.#mayMissRooms = true;
    } else {
      this.outbox.pause();
      if (state.phase === "syncing") return;
      this.rooms.stages.lineLost();
      for (const room of this.rooms.list) room.typing.clear();
    }
  }

  #handle(event: ServerEvent): void {
    if (!("roomId" in event.data)) return;
    const state = this.rooms.get(event.data.roomId);
    if (event.event === "room:system") this.#system(event.data, state);
    // An event of a room we do not know says that another tab or device has joined it.
    else if (state === undefined) this.rooms.refresh();
    else this.#apply(event, state);
  }

  #apply(event: ServerEvent, state: RoomState): void {
    switch (event.event) {
      case "message:new":
        return this.#receive(event.data);
      case "room:changes":
        return this.rooms.change(state, event.data);
      case "room:roster":
        state.roster = event.data;
        return;
      case "room:read":
        return state.read(event.data.lastSeq, this.user);
      case "typing:update": {
        const { user, isTyping } = event.data;
        if (user.id !== this.user.id) state.typing.set(user, isTyping);
      }
    }
  }

  #system(event: RoomSystem, state: RoomState | undefined): void {
    if (event.type === "muted") {
      this.#mute(state, Date.parse(event.until) - Date.parse(event.createdAt));
    } else if (event.user.id === this.user.id) this.rooms.refresh();
    else state?.note(event);
  }

  /** The ack may come before the room's feed brings the message, and without it after a repeat. */
  #sent(
    { roomId, text, clientMsgId, replyTo }: OutboxEntry,
    { messageId, seq, createdAt, isDuplicate }: {
      messageId: string;
      seq: number;
      createdAt: string;
      isDuplicate?: boolean;
    },
  ): void {
    if (!isDuplicate) this.rooms.get(roomId)?.sent(this.clock.now());
    const sender = this.user;
    this.#receive({
      ...{ messageId, roomId, seq, text, createdAt, clientMsgId, sender },
      ...(replyTo && { replyTo }),
    });
  }

  #receive(message: Message): void {
    const state = this.rooms.get(message.roomId);
    const appended = state ? this.rooms.receive(state, message) : [];
    // What waits for its predecessors stays in the outbox meanwhile, to be seen.
    const isWaiting = state && state.store.position < message.seq;
    for (const own of isWaiting ? [] : [message, ...appended]) {
      if (own.sender.id === this.user.id) this.outbox.remove(own.clientMsgId);
    }
  }

  /** The `room:system` event tells the time left without regard to our clock: it is believed first. */
  #muteDelay(roomId: string, until: string | undefined): number {
    const state = this.rooms.get(roomId);
    const left = (state?.mutedUntil ?? 0) - this.clock.now();
    if (left > 0) return left;
    return this.#mute(
      state,
      until === undefined ? 0 : Date.parse(until) - this.clock.date(),
    );
  }

  #mute(state: RoomState | undefined, ms: number): number {
    const delay = Math.min(Math.max(ms || 0, MIN_MUTE_MS), MAX_MUTE_MS);
    state?.mute(this.clock.now() + delay);
    this.clock.after(delay, () => state?.unmute(this.clock.now()));
    return delay;
  }

  #typingIn(roomId: string): TypingSignal {
    const known = this.#typing.get(roomId);
    if (known !== undefined) return known;
    const announce = (isTyping: boolean) =>
      this.connection.notify("typing:update", { roomId, isTyping });
    const signal = new TypingSignal(this.clock, announce);
    this.#typing.set(roomId, signal);
    return signal;
  }
}
