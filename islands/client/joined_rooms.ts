/** The rooms the user is in, their messages, and how both are kept complete. */

import type {
  Message,
  RoomPosition,
  UserRef,
} from "../../realtime/protocol/protocol.ts";
import type { Api, ApiResult, MessagePage, Room } from "./api.ts";
import type { Clock } from "./clock.ts";
import { Positions } from "./positions.ts";
import { RoomState } from "./room_state.ts";
import {
  firstSyncSize,
  type SyncCall,
  type SyncedRoom,
  syncRooms,
} from "./room_sync.ts";
import type { KeyValueStorage } from "./storage.ts";

/** Wait before a gap, or a room that could not be followed, is asked for again, in milliseconds. */
const SYNC_RETRY_MS = 2_000;

/** So many rooms that are not open keep messages: those with the newest. */
const MAX_CLOSED_ROOMS = 40;

/** How much lower a room ranks than the one that is listed before it: thousands fit between two. */
const RANK_STEP = 2 ** -13;

export interface JoinedRoomsOptions {
  user: UserRef;
  api: Api;
  storage: KeyValueStorage;
  clock: Clock;
  /** Asks the server for what came after each room's position. */
  sync: SyncCall;
  onChange: () => void;
}

export class JoinedRooms {
  readonly #options: JoinedRoomsOptions;
  readonly #positions: Positions;
  readonly #states = new Map<string, RoomState>();
  readonly #syncSize = firstSyncSize();
  /** Rooms whose missing messages are being asked for. */
  readonly #filling = new Set<string>();
  /** Rooms that are not open and hold messages, those with the newest last. */
  readonly #holding = new Set<RoomState>();
  /** Counts up with every message: a room's rank is that of its newest. */
  #rank = 0;
  #isRefreshing = false;
  /** Something has changed since the refresh under way began. */
  #isStale = false;

  /** Counts the lines that were lost. */
  #lines = 0;

  constructor(options: JoinedRoomsOptions) {
    this.#options = options;
    this.#positions = new Positions(options.storage);
  }

  get(roomId: string): RoomState | undefined {
    return this.#states.get(roomId);
  }

  /** All rooms, most recently active first. */
  get list(): RoomState[] {
    return [...this.#states.values()].sort((a, b) => b.rank - a.rank);
  }

  /**
   * Adds a room, or takes over what is new about a known one.
   *
   * @param rank where a new room stands in the list; first when left out
   */
  add(room: Room, rank?: number): RoomState {
    const known = this.#states.get(room.id);
    if (known !== undefined) {
      known.update(room, this.#options.user);
      return known;
    }
    const { clock, onChange } = this.#options;
    const state = new RoomState(room, clock, onChange);
    state.rank = rank ?? ++this.#rank;
    this.#states.set(room.id, state);
    return state;
  }

  remove(roomId: string): void {
    const state = this.#states.get(roomId);
    this.#states.delete(roomId);
    if (state) this.#holding.delete(state);
    this.#options.onChange();
  }

  /** Where we stand in a room, as `rooms:sync` and `room:join` ask for it. */
  position({ room, store }: RoomState): RoomPosition & { lastSeq: number } {
    return { roomId: room.id, lastSeq: store.position };
  }

  /**
   * Takes a message of the live feed, a replay or an ack; asks for what it shows to be missing.
   * Returns what is in place now, in order.
   */
  receive(state: RoomState, message: Message): Message[] {
    const appended = state.receive(message, this.#options.user);
    if (appended.length > 0) state.rank = ++this.#rank;
    this.#limit(state);
    this.#keepPosition(state, appended);
    if (state.store.hasGap) this.#fillGap(state);
    this.#options.onChange();
    return appended;
  }

  /** Takes the newest page of a room. */
  load(state: RoomState, page: MessagePage): void {
    const appended = state.load(page);
    this.#keepPosition(state, appended.length > 0 ? appended : page.messages);
    if (state.store.hasGap) this.#fillGap(state);
  }

  /** The room is shown: fetches its newest page unless it is there. */
  async open(state: RoomState): Promise<void> {
    state.isOpen = true;
    this.#holding.delete(state);
    if (state.isLoaded) return;
    const page = await this.fetchPage(
      state,
      (api) => api.newestMessages(state.room.id),
    );
    if (page !== undefined) this.load(state, page);
    this.#options.onChange();
  }

  /** The room is shown no more. */
  close(state: RoomState): void {
    state.close();
    if (this.#states.has(state.room.id)) this.#limit(state);
  }

  /**
   * Asks which rooms the user is in: another tab or device may have joined or left some, and a page
   * brings no more than the most recently active ones.
   */
  async refresh(): Promise<void> {
    this.#isStale = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    while (this.#isStale) {
      this.#isStale = false;
      if (!await this.#readRooms()) break;
    }
    this.#isRefreshing = false;
  }

  /** @returns false when a page could not be read */
  async #readRooms(): Promise<boolean> {
    const unlisted = new Set(this.#states.keys());
    const pages = await this.#readPages(unlisted, () => true);
    if (pages === undefined) return false;
    // A room with a new message moves to the front, past a reading that is behind it already.
    if (pages > 1) await this.#readPages(unlisted, (added) => added > 0);
    // One that was moved twice is still unlisted: its sync says whether it is gone.
    if (unlisted.size > 0) {
      await this.sync([...unlisted].flatMap((id) => this.get(id) ?? []));
    }
    return true;
  }

  /**
   * Takes the pages of the list from the front on, and syncs the rooms that are new.
   *
   * @param unlisted loses what is found
   * @param goesOn whether to read further after a page that added so many rooms
   * @returns how many were read; undefined when one could not be
   */
  async #readPages(
    unlisted: Set<string>,
    goesOn: (added: number) => boolean,
  ): Promise<number | undefined> {
    const { api, onChange } = this.#options;
    let rank = ++this.#rank;
    let pages = 0;
    let page: string | undefined = "";
    while (page !== undefined) {
      const result: ApiResult<Room[]> = await api.myRooms(page);
      if (!result.ok) return undefined;
      pages++;
      const added: RoomState[] = [];
      for (const room of result.data) {
        unlisted.delete(room.id);
        const isNew = !this.#states.has(room.id);
        // A new room stands right below the one that the server lists before it.
        const state = this.add(room, rank - RANK_STEP);
        rank = Math.min(rank, state.rank);
        if (isNew) added.push(state);
      }
      if (added.length > 0) await this.follow(added);
      onChange();
      page = goesOn(added.length) ? result.next : undefined;
    }
    return pages;
  }

  /**
   * Follows rooms that came to the list while the line was open, again and again until the server has
   * let it happen or the line is lost: the next one brings all rooms up to date.
   */
  async follow(states: readonly RoomState[]): Promise<void> {
    const lines = this.#lines;
    if (await this.sync(states)) return;
    this.#options.clock.after(SYNC_RETRY_MS, () => {
      if (lines === this.#lines) this.follow(states);
    });
  }

  /** The line is lost. What was to be followed over it will be over the next. */
  lineLost(): void {
    this.#lines++;
  }

  /** Brings rooms up to date. False: the line is not to be trusted. */
  sync(states: readonly RoomState[] = this.list): Promise<boolean> {
    const rooms = new Map<string, SyncedRoom>(
      states.map((state) => [state.room.id, {
        position: () => this.position(state),
        reload: () => this.#reload(state),
        skip: () => this.#skip(state),
        gone: () => this.remove(state.room.id),
      }]),
    );
    return syncRooms(rooms, this.#options.sync, this.#syncSize);
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
    this.#options.onChange();
    const result = await fetchPage(this.#options.api);
    state.isLoading = false;
    this.#options.onChange();
    if (result.ok) return result.data;
    state.loadError = result.code;
    return undefined;
  }

  async #reload(state: RoomState): Promise<boolean> {
    const { room, store } = state;
    const result = await this.#options.api.newestMessages(room.id);
    if (!result.ok) return false;
    store.reset(result.data);
    const newest = result.data.messages.at(-1);
    const createdAt = newest?.createdAt ?? room.createdAt;
    this.#positions.reset(room.id, newest?.seq ?? 0, createdAt);
    state.notices = [];
    state.note({ type: "reset", user: this.#options.user, createdAt });
    this.#options.onChange();
    return true;
  }

  async #skip(state: RoomState): Promise<boolean> {
    const { api, user, onChange } = this.#options;
    // The page after the count: what is newer than the count is counted by its message.
    const room = await api.room(state.room.id);
    const page = await api.newestMessages(state.room.id);
    if (!room.ok || !page.ok) return false;
    state.skipTo(page.data, room.data, user);
    this.#limit(state);
    this.#keepPosition(state, page.data.messages);
    onChange();
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
    if (newest) this.#positions.advance(room.id, newest.seq, newest.createdAt);
  }

  /** While the first sync of a line runs this asks twice, which costs little and loses nothing. */
  async #fillGap(state: RoomState): Promise<void> {
    const { id } = state.room;
    if (this.#filling.has(id)) return;
    this.#filling.add(id);
    const isFilled = await this.sync([state]);
    this.#filling.delete(id);
    if (isFilled || !state.store.hasGap) return;
    this.#options.clock.after(SYNC_RETRY_MS, () => {
      if (state.store.hasGap) this.#fillGap(state);
    });
  }
}
