/**
 * One connection to PostgreSQL, over postgres.js.
 *
 * postgres.js 3.4.9 cannot be left alone with a connection that ends: it writes to sockets that are gone,
 * where no caller can catch it, connects again by itself, and forgets who waits (porsager/postgres 1154,
 * 1195 and 1208). So each instance of it has one connection on one socket that is opened here. Whatever
 * happens to that socket, the connection is lost for good, and who waits for an answer is told here.
 */

import type { Socket } from "node:net";
import postgres from "postgres";
import { UnavailableError } from "./errors.ts";
import type { PostgresServer, TlsContents } from "./postgres_server.ts";
import { encrypt, event, openSocket } from "./postgres_socket.ts";

/** How long the server gets to say goodbye, in seconds. */
const GOODBYE_S = 1;

const LOST = "Connection terminated";
const NO_WELCOME = "Connection terminated due to connection timeout";
const NO_ANSWER = "Query read timeout";

export interface ConnectionOptions {
  readonly server: PostgresServer;
  readonly tls: TlsContents | false;
  /** How long the server has until it lets the user in, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** The rows, with the command that the server has executed and how many rows it concerned. */
export type Rows = postgres.RowList<postgres.Row[]>;

export interface QueryOptions {
  /** How long an answer is waited for, in milliseconds; then the connection is lost. */
  readonly timeoutMs: number;
  /** Whether the server parses and plans the text once for all queries of this connection. */
  readonly prepare: boolean;
}

/**
 * How values are read and written, where postgres.js does otherwise. A bigint is a counter far below
 * 2^53. JSON comes as text from whoever made it, and would be encoded a second time. Of arrays the
 * program has lists of ids alone; the types of all others would be asked for on each new connection.
 */
const TYPES = {
  int8: { to: 20, from: [20], serialize: String, parse: Number },
  json: { to: 114, from: [114, 3802], serialize: String, parse: JSON.parse },
  uuids: {
    ...{ to: 2951, from: [2951] },
    serialize: (ids: readonly string[]) => `{${ids.join()}}`,
    parse: (text: string) => text.slice(1, -1).split(",").filter(Boolean),
  },
};

type ReadTypes = { int8: number; json: unknown; uuids: string[] };

export class PostgresConnection {
  readonly #options: ConnectionOptions;
  readonly #onLost: (error: Error) => void;
  readonly #sql: postgres.Sql<ReadTypes>;
  /** Tells those who wait for an answer that none comes. */
  readonly #waiting = new Set<(error: Error) => void>();
  #sockets: Socket[] = [];
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #lostBy: Error | undefined;

  /** @param onLost called once, when the connection has ended in whatever way */
  constructor(options: ConnectionOptions, onLost: (error: Error) => void) {
    this.#options = options;
    this.#onLost = onLost;
    const { server } = options;
    const given = {
      host: server.host,
      port: server.port,
      user: server.user ?? "",
      database: server.database ?? "",
      password: () => server.password ?? this.#hasNoPassword(),
      connection: {
        application_name: server.applicationName ?? "",
        ...server.options !== undefined && { options: server.options },
      },
      types: TYPES,
      fetch_types: false,
      max: 1,
      max_lifetime: null,
      ...{ idle_timeout: 0, connect_timeout: 0 },
      // Encrypted or not, it is given a socket that is ready.
      ssl: false,
      socket: () => this.#connect(),
      // The first word of a server that has let the user in.
      onparameter: () => clearTimeout(this.#connectTimer),
      onnotice: () => {},
      onclose: () => this.lose(),
    };
    this.#sql = postgres(given);
  }

  get isLost(): boolean {
    return this.#lostBy !== undefined;
  }

  /**
   * Asks the server; the first query connects.
   *
   * @returns the rows of the one statement in the text
   * @throws {postgres.PostgresError} when the server refuses
   * @throws when the connection is lost, before or while it waits: {@link UnavailableError}, or an
   *   error with the code of the operating system
   */
  run(
    text: string,
    parameters: readonly unknown[],
    { timeoutMs, prepare }: QueryOptions,
  ): Promise<Rows> {
    return new Promise((resolve, reject) => {
      if (this.#lostBy !== undefined) return reject(new UnavailableError(LOST));
      const timer = setTimeout(
        () => this.lose(new UnavailableError(NO_ANSWER)),
        timeoutMs,
      );
      const settle = <T>(call: (value: T) => void) => (value: T) => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
        call(value);
      };
      const fail = settle(reject);
      this.#waiting.add(fail);
      const options = { prepare, simple: parameters.length === 0 };
      this.#sql.unsafe(text, parameters as never[], options)
        .then(settle(resolve), fail);
    });
  }

  /** Cuts the connection off; whoever waits for an answer gets this error. */
  lose(error: Error = new UnavailableError(LOST)): void {
    if (this.#lostBy !== undefined) return;
    this.#lostBy = error;
    clearTimeout(this.#connectTimer);
    for (const socket of this.#sockets) socket.destroy();
    for (const fail of [...this.#waiting]) fail(error);
    this.#onLost(error);
  }

  /** Takes leave of the server, and cuts the connection off when it takes long. */
  async close(): Promise<void> {
    if (!this.isLost) await this.#sql.end({ timeout: GOODBYE_S });
    this.lose();
  }

  /** Gives postgres.js its socket. When it asks a second time it wants to connect again, which it may not. */
  async #connect(): Promise<Socket> {
    if (this.isLost || this.#sockets.length > 0) throw this.#ended();
    const { server, tls, connectTimeoutMs } = this.#options;
    this.#connectTimer = setTimeout(
      () => this.lose(new UnavailableError(NO_WELCOME)),
      connectTimeoutMs,
    );
    const socket = this.#watched(openSocket(server));
    await event(socket, "connect");
    return tls === false
      ? socket
      : this.#watched(await encrypt(socket, server, tls));
  }

  #watched(socket: Socket): Socket {
    this.#sockets.push(socket);
    return socket
      .on("error", (error) => this.lose(withQuery(error)))
      .on("close", () => this.lose());
  }

  /** Called by postgres.js, which cannot take an error here. */
  #hasNoPassword(): string {
    this.lose(new Error("the server asks for a password, and none is set"));
    return "";
  }

  #ended(): Error {
    return withQuery(this.#lostBy ?? new UnavailableError(LOST));
  }
}

/**
 * postgres.js adds the query to each error that has none yet, and keeps something of that query for ever:
 * about 100 bytes for each that fails.
 */
function withQuery<E extends Error>(error: E): E {
  return Object.defineProperty(error, "query", { value: undefined });
}
withQuery(postgres.PostgresError.prototype);
