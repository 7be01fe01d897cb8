/** Most items in one statement. */
export const MAX_BATCH = 500;

/** A write that is not settled yet. */
export interface Pending<Item extends { roomId: string }, Result> {
  readonly item: Item;
  /** When it is refused if it was not stored, by the steady clock. */
  readonly deadline: number;
  /** Again has no effect. */
  readonly settle: (result: Result) => void;
}

/** The writes that wait for a batch, of all rooms. */
export class WaitingItems<Item extends { roomId: string }, Result> {
  /** By room. The rooms stand in order of their oldest item. */
  readonly #rooms = new Map<string, Pending<Item, Result>[]>();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  add(pending: Pending<Item, Result>): void {
    const { roomId } = pending.item;
    const room = this.#rooms.get(roomId);
    if (room === undefined) this.#rooms.set(roomId, [pending]);
    else room.push(pending);
    this.#size++;
  }

  /**
   * Takes the next batch, at most {@link MAX_BATCH} items.
   *
   * @param busyRooms rooms whose items must wait longer
   */
  takeBatch(busyRooms: ReadonlySet<string>): Pending<Item, Result>[] {
    const batch: Pending<Item, Result>[] = [];
    for (const [roomId, room] of this.#rooms) {
      if (busyRooms.has(roomId)) continue;
      batch.push(...room.splice(0, MAX_BATCH - batch.length));
      this.#rooms.delete(roomId);
      // What is left is newer than what other rooms have waiting: it stands behind them.
      if (room.length > 0) this.#rooms.set(roomId, room);
      if (batch.length === MAX_BATCH) break;
    }
    this.#size -= batch.length;
    return batch;
  }

  /** Takes the items whose deadline has come. */
  takeOverdue(now: number): Pending<Item, Result>[] {
    const overdue: Pending<Item, Result>[] = [];
    for (const [roomId, room] of this.#rooms) {
      while (room.length > 0 && room[0]!.deadline <= now) {
        overdue.push(room.shift()!);
      }
      if (room.length === 0) this.#rooms.delete(roomId);
    }
    this.#size -= overdue.length;
    return overdue;
  }
}
