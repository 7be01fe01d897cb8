import type { UserRef } from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";

/** Members are loaded again after this, in milliseconds. */
const KEPT_MS = 1_000;

/**
 * The members of rooms, loaded at most once a second a room. There is no signal when other processes change
 * them: what must be exact is not built on this.
 */
export class RecentMembers {
  readonly #load: (roomId: string) => Promise<UserRef[]>;
  readonly #timers: Timers;
  readonly #rooms = new Map<string, Promise<UserRef[]>>();

  constructor(load: (roomId: string) => Promise<UserRef[]>, timers: Timers) {
    this.#load = load;
    this.#timers = timers;
  }

  read(roomId: string): Promise<UserRef[]> {
    const known = this.#rooms.get(roomId);
    if (known !== undefined) return known;
    const members = this.#load(roomId);
    this.#rooms.set(roomId, members);
    const forget = () => {
      if (this.#rooms.get(roomId) === members) this.#rooms.delete(roomId);
    };
    members.catch(forget);
    this.#timers.after(KEPT_MS, forget);
    return members;
  }

  /** The next {@link read} of the room loads its members. */
  forget(roomId: string): void {
    this.#rooms.delete(roomId);
  }
}
