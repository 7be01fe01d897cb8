/** The rooms the user is in, their messages, and how both are kept complete. */

import { batch } from "@preact/signals";
import type {
  Message,
  RoomChanges,
  RoomPosition,
  UserRef,
} from "../../../realtime/protocol/protocol.ts";
import {
  type Api,
  type ApiResult,
  findRoom,
  type MessagePage,
  newestMessages,
  type Room,
} from "../api.ts";
import type { Clock } from "../clock.ts";
import { Positions } from "./positions.ts";
import { RoomList } from "./room_list.ts";
import type { RoomRefresh } from "./room_refresh.ts";
import type { RoomState } from "./room_state.ts";
import {
  firstSyncSize,
  type SyncCall,
  type SyncedRoom,
  syncRooms,
} from "./room_sync.ts";
import { StagedSync, SYNC_RETRY_MS } from "./staged_sync.ts";
import type { KeyValueStorage } from "../storage/storage.ts";

/** So many rooms that are not open keep messages: those with the newest. */
const MAX_CLOSED_ROOMS = 40;

export interface JoinedRoomsOptions {
  user: UserRef;
  api: Api;
  storage: KeyValueStorage;
  clock: Clock;
  /** Asks the server for what came after each room's position. */
  sync: SyncCall;
}

export class JoinedRooms {
  readonly positions: Positions;
  /** Brings the rooms up to date, some at a time. */
  readonly stages: StagedSync;
  readonly #options: JoinedRoomsOptions;
  readonly #list: RoomList;
  #refresh: RoomRefresh | undefined;
  readonly #syncSize = firstSyncSize();
  /** Rooms whose missing messages are being asked for. */
  readonly #filling = new Set<string>();
  /** Rooms that are not open and hold messages, those with the newest last. */
  readonly #holding = new Set<RoomState>();

  constructor(options: JoinedRoomsOptions) {
    const { user, clock, storage } = options;
    this.#options = options;
    this.positions = new Positions(storage, clock);
    this.#list = new RoomList(user, clock);
    this.stages = new StagedSync({
      clock,
      sync: (states) => this.sync(states),
    });
  }

  /** The room with an id; a signal of whether there is one. */
  get(roomId: string): RoomState | undefined {
    return this.#list.get(roomId);
  }

  /** All rooms, most recently active first; a signal. */
  get list(): readonly RoomState[] {
    return this.#list.sorted;
  }

  /** Adds a room at the front, or takes over what is new about a known one. */
  add(room: Room): RoomState {
    return this.#list.add(room);
  }

  remove(roomId: string): void {
    const state = this.get(roomId);
    if (state === undefined) return;
    this.#holding.delete(state);
    this.stages.removed(state);
    this.#list.remove(roomId);
  }

  /** Where we stand in a room, as `rooms:sync` and `room:join` ask for it. */
  position({ room, store }: RoomState): RoomPosition & { lastSeq: number } {
    const { messages: [first], position, rev, epoch } = store;
    return {
      roomId: room.id,
      lastSeq: position,
      ...(epoch && { epoch }),
      // Only of what is held changes are wanted.
      ...(first && { lastRev: rev, fromSeq: first.seq }),
    };
  }

  /** Takes changes of a room's messages; asks for what they show to be missing. */
  change(state: RoomState, changes: RoomChanges): void {
    batch(() => state.change(changes, this.#options.user));
    this.fill(state);
  }

  /**
   * Takes a message of the live feed, a replay or an ack; asks for what it shows to be missing.
   * Returns what is in place now, in order.
   */
  receive(state: RoomState, message: Message): Message[] {
    return batch(() => {
      const appended = state.receive(message, this.#options.user);
      if (appended.length > 0) this.#list.moveToFront(state);
      this.#limit(state);
      this.#keepPosition(state, appended);
      this.fill(state);
      return appended;
    });
  }

  /** Takes the newest page of a room. */
  load(state: RoomState, page: MessagePage): void {
    const appended = batch(() => state.load(page));
    this.#keepPosition(state, appended.length > 0 ? appended : page.messages);
    this.fill(state);
  }

  /** The room is shown: syncs it if its turn has not come, and fetches its newest page unless it is there. */
  async open(state: RoomState): Promise<void> {
    state.isOpen = true;
    this.#holding.delete(state);
    this.stages.opened(state);
    if (state.isLoaded) return;
    const page = await this.fetchPage(
      state,
      (api) => newestMessages(api, state.room.id),
    );
    if (page !== undefined) this.load(state, page);
  }

  /** The room is shown no more. */
  close(state: RoomState): void {
    batch(() => state.close());
    if (this.get(state.room.id) === state) this.#limit(state);
  }

  /** Asks the server which rooms the user is in. A page needs the code for it late, or never. */
  async refresh(): Promise<void> {
    const { RoomRefresh } = await import("./room_refresh.ts");
    this.#refresh ??= new RoomRefresh({
      api: this.#options.api,
      list: this.#list,
      sync: (states) => this.sync(states),
      follow: (states) => this.stages.follow(states),
    });
    await this.#refresh.run();
  }

  /** Brings rooms up to date. False: the line is not to be trusted. */
  async sync(states: readonly RoomState[]): Promise<boolean> {
    const rooms = new Map<string, SyncedRoom>(
      states.map((state) => [state.room.id, {
        position: () => this.position(state),
        caughtUp: ({ lastRev = 0, epoch = "" }, since) =>
          state.store.caughtUp(lastRev, since, epoch),
        reload: () => this.#reload(state),
        skip: () => this.#skip(state),
        gone: () => this.remove(state.room.id),
      }]),
    );
    const isSynced = await syncRooms(
      ...[rooms, this.#options.sync, this.#syncSize] as const,
    );
    // A page of history that came meanwhile may lack what was changed since.
    const stale = states.filter(({ store }) => isSynced && store.isStale);
    for (const state of stale) this.fill(state);
    return isSynced;
  }

  /**
   * Asks for a page of a room's history and says so in its state. One at a time.
   *
   * @returns undefined when one is on its way, or when it failed: `loadError` says why
   */
  async fetchPage(
    state: RoomState,
    fetchPage: (api: Api) => Promise<ApiResult<MessagePage>>,
  ): Promise<MessagePage | undefined> {
    if (state.isLoading) return undefined;
    state.isLoading = true;
    state.loadError = undefined;
    const result = await fetchPage(this.#options.api);
    state.isLoading = false;
    if (result.ok) return result.data;
    state.loadError = result.code;
    return undefined;
  }

  async #reload(state: RoomState): Promise<boolean> {
    const { room, store } = state;
    const result = await newestMessages(this.#options.api, room.id);
    if (!result.ok) return false;
    const newest = result.data.messages.at(-1);
    const createdAt = newest?.createdAt ?? room.createdAt;
    this.positions.reset(room.id, newest?.seq ?? 0, createdAt);
    batch(() => {
      store.reset(result.data);
      state.notices = [];
      state.note({ type: "reset", user: this.#options.user, createdAt });
    });
    return true;
  }

  async #skip(state: RoomState): Promise<boolean> {
    const { api, user } = this.#options;
    // The page after the count: what is newer than the count is counted by its message.
    const room = await findRoom(api, state.room.id);
    const page = await newestMessages(api, state.room.id);
    if (!room.ok || !page.ok) return false;
    batch(() => state.skipTo(page.data, room.data, user));
    this.#limit(state);
    this.#keepPosition(state, page.data.messages);
    return true;
  }

  /** Takes the messages from the room that has been quiet for longest when many hold some. */
  #limit(state: RoomState): void {
    if (state.isOpen) return;
    this.#holding.delete(state);
    if (state.store.messages.length > 0) this.#holding.add(state);
    if (this.#holding.size <= MAX_CLOSED_ROOMS) return;
    for (const quietest of this.#holding) {
      quietest.forget();
      this.#holding.delete(quietest);
      return;
    }
  }

  #keepPosition({ room }: RoomState, messages: readonly Message[]): void {
    const newest = messages.at(-1);
    if (newest) this.positions.advance(room.id, newest.seq, newest.createdAt);
  }

  /**
   * Asks for what is missing of a room, if anything is. While the first sync of a line runs this asks
   * twice, which costs little and loses nothing.
   */
  async fill(state: RoomState): Promise<void> {
    const { room: { id }, store } = state;
    const isWanted = () => store.hasGap || store.isStale;
    if (!isWanted() || this.#filling.has(id)) return;
    this.#filling.add(id);
    const isFilled = await this.sync([state]);
    this.#filling.delete(id);
    if (!isWanted()) return;
    if (!isFilled) {
      this.#options.clock.after(SYNC_RETRY_MS, () => this.fill(state));
    } // A page that came meanwhile may have been older.
    else if (store.isStale) this.fill(state);
  }
}
