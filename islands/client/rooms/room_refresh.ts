import type { Api, ApiResult, Room } from "../api.ts";
import type { RoomList } from "./room_list.ts";
import type { RoomState } from "./room_state.ts";

/** How much lower a room ranks than the one that is listed before it: thousands fit between two. */
const RANK_STEP = 2 ** -13;

export interface RoomRefreshOptions {
  api: Api;
  list: RoomList;
  /** Subscribes to rooms that are new in the list. */
  follow: (states: readonly RoomState[]) => Promise<void>;
  /** Syncs rooms that the server did not list: what is gone leaves the list. */
  sync: (states: readonly RoomState[]) => Promise<unknown>;
}

/**
 * Asks which rooms the user is in: another tab or device may have joined or left some, and a page
 * brings no more than the most recently active ones.
 */
export class RoomRefresh {
  readonly #options: RoomRefreshOptions;
  #isRunning = false;
  /** Something has changed since the refresh under way began. */
  #isStale = false;

  constructor(options: RoomRefreshOptions) {
    this.#options = options;
  }

  /** Reads the list; once more when this is called while it is being read. */
  async run(): Promise<void> {
    this.#isStale = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isStale) {
      this.#isStale = false;
      if (!await this.#readRooms()) break;
    }
    this.#isRunning = false;
  }

  /** @returns false when a page could not be read */
  async #readRooms(): Promise<boolean> {
    const { list, sync } = this.#options;
    const unlisted = new Set(list.sorted.map(({ room }) => room.id));
    const pages = await this.#readPages(unlisted, () => true);
    if (pages === undefined) return false;
    // A room with a new message moves to the front, past a reading that is behind it already.
    if (pages > 1) await this.#readPages(unlisted, (added) => added > 0);
    // One that was moved twice is still unlisted: its sync says whether it is gone.
    if (unlisted.size > 0) {
      await sync([...unlisted].flatMap((id) => list.get(id) ?? []));
    }
    return true;
  }

  /**
   * Takes the pages of the list from the front on, and follows the rooms that are new.
   *
   * @param unlisted loses what is found
   * @param goesOn whether to read further after a page that added so many rooms
   * @returns how many were read; undefined when one could not be
   */
  async #readPages(
    unlisted: Set<string>,
    goesOn: (added: number) => boolean,
  ): Promise<number | undefined> {
    const { api, list, follow } = this.#options;
    let rank = list.nextRank();
    let pages = 0;
    let page: string | undefined = "";
    while (page !== undefined) {
      const result: ApiResult<Room[]> = await api.get(`/rooms${page}`);
      if (!result.ok) return undefined;
      pages++;
      const added: RoomState[] = [];
      for (const room of result.data) {
        unlisted.delete(room.id);
        const isNew = list.get(room.id) === undefined;
        // A new room stands right below the one that the server lists before it.
        const state = list.add(room, rank - RANK_STEP);
        rank = Math.min(rank, list.rankOf(room.id));
        if (isNew) added.push(state);
      }
      if (added.length > 0) await follow(added);
      page = goesOn(added.length) ? result.next : undefined;
    }
    return pages;
  }
}
