import type { NewMessage } from "../../db/messages.ts";
import type { UserRef } from "../protocol/protocol.ts";
import type { Refused, Stored } from "./post_result.ts";

/** Most messages in one statement. */
export const MAX_BATCH = 500;

/** A message that is not settled yet. */
export interface Pending {
  readonly message: NewMessage;
  readonly sender: UserRef;
  /** When it is refused if it was not stored, by the steady clock. */
  readonly deadline: number;
  /** Again has no effect. */
  readonly settle: (result: Stored | Refused) => void;
}

/** The messages that wait for a batch, of all rooms. */
export class WaitingMessages {
  /** By room. The rooms stand in order of their oldest message. */
  readonly #rooms = new Map<string, Pending[]>();
  #size = 0;

  /** How many messages wait. */
  get size(): number {
    return this.#size;
  }

  add(pending: Pending): void {
    const { roomId } = pending.message;
    const room = this.#rooms.get(roomId);
    if (room === undefined) this.#rooms.set(roomId, [pending]);
    else room.push(pending);
    this.#size++;
  }

  /**
   * Takes the next batch, at most {@link MAX_BATCH} messages.
   *
   * @param busyRooms rooms whose messages must wait longer
   */
  takeBatch(busyRooms: ReadonlySet<string>): Pending[] {
    const batch: Pending[] = [];
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

  /** Takes the messages whose deadline has come. */
  takeOverdue(now: number): Pending[] {
    const overdue: Pending[] = [];
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
