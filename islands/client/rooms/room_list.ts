import { computed, signal } from "@preact/signals";
import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import type { Room } from "../api.ts";
import type { Clock } from "../clock.ts";
import { RoomState } from "./room_state.ts";

interface Place {
  readonly state: RoomState;
  /** Higher is more recently active. */
  rank: number;
}

/** The rooms the user is in and their order. */
export class RoomList {
  readonly #user: UserRef;
  readonly #clock: Clock;
  readonly #places = new Map<string, Place>();
  /** Counts up with every message: a room's rank is that of its newest. */
  #rank = 0;
  /** Count what changes: which rooms there are, and their order. */
  readonly #joined = signal(0);
  readonly #moved = signal(0);
  readonly #sorted = computed<readonly RoomState[]>(() => {
    this.#joined.value;
    this.#moved.value;
    return [...this.#places.values()]
      .sort((a, b) => b.rank - a.rank)
      .map(({ state }) => state);
  });

  constructor(user: UserRef, clock: Clock) {
    this.#user = user;
    this.#clock = clock;
  }

  /** All rooms, most recently active first; a signal. */
  get sorted(): readonly RoomState[] {
    return this.#sorted.value;
  }

  /** The room with an id; a signal of whether there is one. */
  get(roomId: string): RoomState | undefined {
    this.#joined.value;
    return this.#places.get(roomId)?.state;
  }

  /** A room's rank; that of an unknown one is below all others. */
  rankOf(roomId: string): number {
    return this.#places.get(roomId)?.rank ?? 0;
  }

  /** A rank above all others. */
  nextRank(): number {
    return ++this.#rank;
  }

  /**
   * Adds a room, or takes over what is new about a known one.
   *
   * @param rank where a new room stands in the list; first when left out
   */
  add(room: Room, rank = this.nextRank()): RoomState {
    const known = this.get(room.id);
    if (known !== undefined) {
      known.update(room, this.#user);
      return known;
    }
    const state = new RoomState(room, this.#clock);
    this.#places.set(room.id, { state, rank });
    this.#joined.value++;
    return state;
  }

  remove(roomId: string): void {
    if (this.#places.delete(roomId)) this.#joined.value++;
  }

  /** Something happened in a room: it moves to the front. */
  moveToFront(state: RoomState): void {
    const place = this.#places.get(state.room.id);
    if (place === undefined || this.sorted[0] === state) return;
    place.rank = this.nextRank();
    this.#moved.value++;
  }
}
