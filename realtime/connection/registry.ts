import type { Broker } from "../cluster/broker.ts";
import type { ServerEvent } from "../protocol/protocol.ts";
import type { Connection } from "./connection.ts";
import { eventFrame } from "./frames.ts";

export interface RegistryOptions {
  readonly maxSocketsPerUser: number;
  readonly maxSocketsPerAddress: number;
  readonly broker: Broker;
  /** Called when a place of a user was given back. */
  readonly onReleased?: (userId: string) => void;
}

/** A place for one connection. */
export interface Place {
  /** Gives the place back. Again has no effect. */
  release(): void;
}

const NONE: ReadonlySet<Connection> = new Set();

/**
 * The connections of this process by id and by user, and the places that connections take by user and by
 * address, from before the upgrade until the end. Only synchronous changes: between two awaits the maps
 * are always whole. The broker is subscribed to each user who has a connection here.
 */
export class ConnectionRegistry {
  readonly #options: RegistryOptions;
  readonly #byId = new Map<string, Connection>();
  readonly #byUser = new Map<string, Set<Connection>>();
  /** Places taken, by `user …` and `address …`. */
  readonly #places = new Map<string, number>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Takes a place; undefined when the user or the address has none left. */
  admit(userId: string, address: string): Place | undefined {
    const { maxSocketsPerUser, maxSocketsPerAddress, onReleased } =
      this.#options;
    const [user, peer] = [`user ${userId}`, `address ${address}`];
    const isFull = this.#placesOf(user) >= maxSocketsPerUser ||
      this.#placesOf(peer) >= maxSocketsPerAddress;
    if (isFull) return undefined;
    this.#changePlaces(user, 1);
    this.#changePlaces(peer, 1);
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#changePlaces(user, -1);
        this.#changePlaces(peer, -1);
        onReleased?.(userId);
      },
    };
  }

  /** Places taken by a user, for connections and for sockets that are not let in yet. */
  placesOf(userId: string): number {
    return this.#placesOf(`user ${userId}`);
  }

  add(connection: Connection): void {
    this.#byId.set(connection.id, connection);
    const { id } = connection.user;
    const own = this.#byUser.get(id);
    if (own !== undefined) return void own.add(connection);
    this.#byUser.set(id, new Set([connection]));
    void this.#options.broker.subscribe(`user:${id}`);
  }

  /** Again has no effect. */
  remove(connection: Connection): void {
    this.#byId.delete(connection.id);
    const { id } = connection.user;
    const own = this.#byUser.get(id);
    own?.delete(connection);
    if (own?.size !== 0) return;
    this.#byUser.delete(id);
    this.#options.broker.unsubscribe(`user:${id}`);
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  /** The connections of a user. */
  of(userId: string): ReadonlySet<Connection> {
    return this.#byUser.get(userId) ?? NONE;
  }

  all(): IterableIterator<Connection> {
    return this.#byId.values();
  }

  /** The connections of each user who has one, by the user's id. */
  byUser(): IterableIterator<[string, ReadonlySet<Connection>]> {
    return this.#byUser.entries();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Sends an event to a user's connections in all processes, but for one when that is wanted. */
  sendToUser(userId: string, event: ServerEvent, except?: Connection): void {
    this.sendToUserHere(userId, event, except);
    void this.#options.broker.publish(`user:${userId}`, {
      kind: "event",
      userId,
      event,
    });
  }

  /** As {@link sendToUser}, to the connections of this process. */
  sendToUserHere(
    userId: string,
    event: ServerEvent,
    except?: Connection,
  ): void {
    const frame = eventFrame(event);
    for (const connection of this.of(userId)) {
      if (connection !== except) connection.send(frame);
    }
  }

  #placesOf(key: string): number {
    return this.#places.get(key) ?? 0;
  }

  #changePlaces(key: string, change: number): void {
    const count = this.#placesOf(key) + change;
    if (count > 0) this.#places.set(key, count);
    else this.#places.delete(key);
  }
}
