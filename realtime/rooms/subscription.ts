import type { Connection } from "../connection/connection.ts";
import type { Message, RoomChanges } from "../protocol/protocol.ts";

/** One connection in one room. */
export interface Subscription {
  readonly connection: Connection;
  /** Everything up to this `seq` has been sent, or is not wanted. */
  through: number;
  /** Every change up to this `rev` has been sent, or is not wanted. */
  throughRev: number;
  /** Live messages kept back while the connection catches up; undefined when it is live. */
  held: Message[] | undefined;
  /** More came than could be kept back: what is missing has to be read from the database. */
  overflowed: boolean;
  /** The same for changes. */
  heldChanges: RoomChanges[] | undefined;
  changesOverflowed: boolean;
  /** Was live at least once. Before that it is not known whether the user is a member of the room. */
  admitted: boolean;
}

/** A subscription whose live messages are held back. */
export function newSubscription(connection: Connection): Subscription {
  return {
    connection,
    through: 0,
    throughRev: 0,
    held: [],
    overflowed: false,
    heldChanges: [],
    changesOverflowed: false,
    admitted: false,
  };
}
