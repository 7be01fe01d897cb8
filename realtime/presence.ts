import type { Connection } from "./connection.ts";
import { PRESENCE_TIMEOUT_MS } from "./protocol.ts";

/**
 * Who is online by a socket of this process: a user with at least one living socket that has sent a frame lately. Connections are
 * counted, not users, so two tabs are one person and closing one of them changes nothing.
 */
export class Presence {
  readonly #connections = new Map<string, Set<Connection>>();
  readonly #online = new Set<string>();
  readonly #clock: () => number;
  readonly #onChange: (userId: string, online: boolean) => void;

  constructor(
    clock: () => number,
    onChange: (userId: string, online: boolean) => void,
  ) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  isOnline(userId: string): boolean {
    return this.#online.has(userId);
  }

  /** The ids of those who are online. */
  online(): IterableIterator<string> {
    return this.#online.values();
  }

  /** A connection has opened. */
  connected(connection: Connection): void {
    const { id } = connection.user;
    const own = this.#connections.get(id);
    if (own === undefined) this.#connections.set(id, new Set([connection]));
    else own.add(connection);
    this.heard(connection);
  }

  /** A frame has come in. */
  heard(connection: Connection): void {
    if (connection.closed || this.#online.has(connection.user.id)) return;
    this.#online.add(connection.user.id);
    this.#onChange(connection.user.id, true);
  }

  /** A connection has ended. */
  disconnected(connection: Connection): void {
    const { id } = connection.user;
    const own = this.#connections.get(id);
    if (!own?.delete(connection)) return;
    if (own.size === 0) this.#connections.delete(id);
    this.#refresh(id);
  }

  /** Takes those offline who have been silent for too long. */
  sweep(): void {
    for (const userId of this.#online) this.#refresh(userId);
  }

  #refresh(userId: string): void {
    const limit = this.#clock() - PRESENCE_TIMEOUT_MS;
    for (const connection of this.#connections.get(userId) ?? []) {
      if (connection.lastFrameAt > limit) return;
    }
    if (this.#online.delete(userId)) this.#onChange(userId, false);
  }
}
