import type { Clock } from "../clock.ts";
import type { RoomState } from "./room_state.ts";

/** Rooms that are brought up to date before the line counts as live: the open one and the next ones in the list. */
export const FIRST_ROOMS = 5;

/** Rooms that are synced together after that. */
export const ROOMS_PER_STAGE = 50;

/** Wait before rooms whose sync failed are asked for again, in milliseconds. */
export const SYNC_RETRY_MS = 2_000;

export interface StagedSyncOptions {
  clock: Clock;
  /** Brings rooms up to date. False: the server refused, or the line is lost. */
  sync: (states: readonly RoomState[]) => Promise<boolean>;
}

/**
 * Brings rooms up to date over a line, and subscribes to them by that: those that are seen first before
 * the line is live, the others behind, a stage after the other. The server replays what was missed
 * meanwhile, so a room whose turn comes late loses nothing.
 */
export class StagedSync {
  readonly #options: StagedSyncOptions;
  /** Rooms whose turn over this line is still to come, in that order. */
  #waiting = new Set<RoomState>();
  /** Counts the lines that were lost. */
  #lines = 0;
  #isRunning = false;

  constructor(options: StagedSyncOptions) {
    this.#options = options;
  }

  /**
   * Syncs the rooms that are seen first; the others wait for {@link syncRest}.
   *
   * @param states most recently active first
   */
  async syncFirst(states: readonly RoomState[]): Promise<boolean> {
    const order = states.toSorted((a, b) =>
      Number(b.isOpen) - Number(a.isOpen) ||
      Number(b.isLoaded) - Number(a.isLoaded)
    );
    this.#waiting = new Set(order.slice(FIRST_ROOMS));
    return await this.#options.sync(order.slice(0, FIRST_ROOMS));
  }

  /** Syncs the rooms that wait, again and again until the server has let it happen or the line is lost. */
  async syncRest(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { clock, sync } = this.#options;
    const lines = this.#lines;
    while (this.#waiting.size > 0) {
      const stage = [...this.#waiting].slice(0, ROOMS_PER_STAGE);
      for (const state of stage) this.#waiting.delete(state);
      const isSynced = await sync(stage);
      // The next line brings all rooms up to date.
      if (lines !== this.#lines) return;
      if (isSynced) continue;
      this.#waiting = new Set([...stage, ...this.#waiting]);
      clock.after(SYNC_RETRY_MS, () => {
        if (lines === this.#lines) this.syncRest();
      });
      break;
    }
    this.#isRunning = false;
  }

  /** Syncs rooms that came to the list while the line was open. */
  async follow(states: readonly RoomState[]): Promise<void> {
    for (const state of states) this.#waiting.add(state);
    await this.syncRest();
  }

  /** A room is opened: it is synced at once if it still waits. */
  async opened(state: RoomState): Promise<void> {
    if (!this.#waiting.delete(state)) return;
    const lines = this.#lines;
    if (await this.#options.sync([state])) return;
    if (lines === this.#lines) await this.follow([state]);
  }

  /** The user is no longer in a room. */
  removed(state: RoomState): void {
    this.#waiting.delete(state);
  }

  /** The line is lost. What was to be synced over it will be over the next. */
  lineLost(): void {
    this.#lines++;
    this.#isRunning = false;
    this.#waiting.clear();
  }
}
