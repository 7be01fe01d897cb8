/** A pool of connections to PostgreSQL. One that is lost is thrown away; the next query opens another. */

import { ConnectionGate } from "./connection_gate.ts";
import { UnavailableError } from "./errors.ts";
import type { PostgresConnection } from "./postgres_connection.ts";

export interface PoolCounts {
  readonly total: number;
  readonly idle: number;
  /** Queries that wait for a connection. */
  readonly waiting: number;
}

export interface PoolOptions {
  /** Connections at most, opened on demand. */
  readonly size: number;
  /** How long a query waits for a connection, in milliseconds. */
  readonly waitMs: number;
  /** A connection that nobody needs for so long is closed, in milliseconds. */
  readonly idleMs: number;
  /** Makes a connection; the pool is told when it is lost. */
  readonly create: (onLost: (error: Error) => void) => PostgresConnection;
  /** Connects it. */
  readonly start: (connection: PostgresConnection) => Promise<void>;
  /** Whether an error says that the server has no room for another connection. */
  readonly isFull: (error: unknown) => boolean;
  /** Told of connections that break while nobody uses them. */
  readonly onIdleLost: (error: Error) => void;
}

interface IdleConnection {
  readonly connection: PostgresConnection;
  /** Closes it in time. */
  readonly timer: ReturnType<typeof setTimeout>;
}

export class PostgresPool {
  readonly #options: PoolOptions;
  readonly #gate: ConnectionGate<PostgresConnection>;
  /** Those that are open or being opened. */
  readonly #connections = new Set<PostgresConnection>();
  /** Those that nobody uses; the one used last is at the end, and lent first. */
  readonly #idle: IdleConnection[] = [];
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#gate = new ConnectionGate({
      ...options,
      open: () => this.#open(),
      count: () => this.#connections.size,
    });
  }

  counts(): PoolCounts {
    return {
      total: this.#connections.size,
      idle: this.#idle.length,
      waiting: this.#gate.waiting,
    };
  }

  /**
   * Lends a connection, to be given back with {@link release}.
   *
   * @throws when none can be opened, or none was free in time
   */
  acquire(): Promise<PostgresConnection> {
    return this.#gate.acquire();
  }

  release(connection: PostgresConnection): void {
    if (this.#closed !== undefined) void connection.close();
    else if (!connection.isLost) this.#putAside(connection);
    this.#gate.release();
  }

  /** Resolves when every connection is closed, also those that are still to be given back. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      for (const { connection } of [...this.#idle]) this.#closeIdle(connection);
      this.#settle();
    }
    return this.#closed.promise;
  }

  async #open(): Promise<PostgresConnection> {
    if (this.#closed !== undefined) {
      throw new UnavailableError("the pool of connections is closed");
    }
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      clearTimeout(idle.timer);
      return idle.connection;
    }
    const connection = this.#options.create((error) =>
      this.#lost(connection, error)
    );
    this.#connections.add(connection);
    try {
      await this.#options.start(connection);
      return connection;
    } catch (error) {
      connection.lose();
      throw error;
    }
  }

  #putAside(connection: PostgresConnection): void {
    const timer = setTimeout(
      () => this.#closeIdle(connection),
      this.#options.idleMs,
    );
    this.#idle.push({ connection, timer });
  }

  #closeIdle(connection: PostgresConnection): void {
    this.#removeIdle(connection);
    void connection.close();
  }

  /** @returns whether it was idle */
  #removeIdle(connection: PostgresConnection): boolean {
    const at = this.#idle.findIndex((idle) => idle.connection === connection);
    if (at < 0) return false;
    clearTimeout(this.#idle[at]!.timer);
    this.#idle.splice(at, 1);
    return true;
  }

  #lost(connection: PostgresConnection, error: Error): void {
    this.#connections.delete(connection);
    if (this.#removeIdle(connection)) this.#options.onIdleLost(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#connections.size === 0) this.#closed?.resolve();
  }
}
