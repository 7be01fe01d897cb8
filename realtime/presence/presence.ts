import type { Connection } from "../connection/connection.ts";
import type { ConnectionRegistry } from "../connection/registry.ts";
import { PRESENCE_TIMEOUT_MS } from "../protocol/limits.ts";

/**
 * Who is online by a socket of this process: a user with at least one living socket whose peer has given
 * a sign of life lately, a frame or an answered ping. Connections are counted, not users, so two tabs are
 * one person and closing one of them changes nothing.
 */
export class Presence {
  readonly #connections: Pick<ConnectionRegistry, "of" | "byUser">;
  readonly #online = new Set<string>();
  readonly #clock: () => number;
  readonly #onChange: (userId: string, online: boolean) => void;

  /**
   * @param connections holds a connection before it is {@link touch}ed, and not any more when it is
   *   {@link disconnected}
   * @param clock milliseconds that pass evenly
   * @param onChange called when a user has come online or gone offline
   */
  constructor(
    connections: Pick<ConnectionRegistry, "of" | "byUser">,
    clock: () => number,
    onChange: (userId: string, online: boolean) => void,
  ) {
    this.#connections = connections;
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

  /** A connection has opened, or a frame has come in by it. */
  touch(connection: Connection): void {
    if (connection.closed || this.#online.has(connection.user.id)) return;
    this.#online.add(connection.user.id);
    this.#onChange(connection.user.id, true);
  }

  /** A connection has ended. */
  disconnected(connection: Connection): void {
    this.#refresh(connection.user.id);
  }

  /** Takes those offline who have been silent for too long, and back those who answer again. */
  sweep(): void {
    const now = this.#clock();
    for (const [userId, own] of this.#connections.byUser()) {
      for (const connection of own) {
        // Half of the time is left to find the peer answering before it counts as silent.
        if (now - connection.lastSignAt >= PRESENCE_TIMEOUT_MS / 2) {
          connection.checkLife();
        }
      }
      this.#refresh(userId);
    }
  }

  #refresh(userId: string): void {
    const limit = this.#clock() - PRESENCE_TIMEOUT_MS;
    const own = this.#connections.of(userId);
    const isOnline = [...own].some(({ lastSignAt }) => lastSignAt > limit);
    if (isOnline === this.#online.has(userId)) return;
    if (isOnline) this.#online.add(userId);
    else this.#online.delete(userId);
    this.#onChange(userId, isOnline);
  }
}
