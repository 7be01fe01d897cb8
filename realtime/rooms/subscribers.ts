import type { Connection } from "../connection/connection.ts";
import type { Frame } from "../connection/frames.ts";
import { newSubscription, type Subscription } from "./subscription.ts";

/** The connections of this process that are subscribed to one room. */
export class Subscribers {
  readonly #subscriptions = new Map<Connection, Subscription>();
  readonly #socketsOfUser = new Map<string, number>();

  get subscriberCount(): number {
    return this.#subscriptions.size;
  }

  subscriptions(): IterableIterator<Subscription> {
    return this.#subscriptions.values();
  }

  subscriptionOf(connection: Connection): Subscription | undefined {
    return this.#subscriptions.get(connection);
  }

  /**
   * Adds a connection, or finds it. What is live is held back for it until it is released.
   *
   * @returns whether it is the first socket of its user in the room
   */
  hold(
    connection: Connection,
  ): { subscription: Subscription; firstOfUser: boolean } {
    let subscription = this.#subscriptions.get(connection);
    if (subscription !== undefined) {
      subscription.held ??= [];
      subscription.overflowed = false;
      subscription.heldChanges ??= [];
      subscription.changesOverflowed = false;
      return { subscription, firstOfUser: false };
    }
    subscription = newSubscription(connection);
    this.#subscriptions.set(connection, subscription);
    const sockets = this.#socketsOfUser.get(connection.user.id) ?? 0;
    this.#socketsOfUser.set(connection.user.id, sockets + 1);
    return { subscription, firstOfUser: sockets === 0 };
  }

  /** @returns whether it was the last socket of its user in the room; undefined when it did not follow */
  remove(connection: Connection): boolean | undefined {
    if (!this.#subscriptions.delete(connection)) return undefined;
    const sockets = this.#socketsOfUser.get(connection.user.id)! - 1;
    if (sockets > 0) this.#socketsOfUser.set(connection.user.id, sockets);
    else this.#socketsOfUser.delete(connection.user.id);
    return sockets === 0;
  }

  /** The connections of one user that follow the room. */
  connectionsOf(userId: string): Connection[] {
    if (!this.#socketsOfUser.has(userId)) return [];
    return [...this.#subscriptions.keys()].filter((connection) =>
      connection.user.id === userId
    );
  }

  /** The connections that have been let in. */
  *admitted(): Generator<Connection> {
    for (const { connection, admitted } of this.#subscriptions.values()) {
      if (admitted) yield connection;
    }
  }

  /** Sends a frame to every subscriber that has been let in, but for the sockets of some users when that is wanted. */
  broadcast(frame: Frame, exceptUserIds?: ReadonlySet<string>): void {
    for (const connection of this.admitted()) {
      if (!exceptUserIds?.has(connection.user.id)) connection.send(frame);
    }
  }
}
