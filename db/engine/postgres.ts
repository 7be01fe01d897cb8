/** PostgreSQL through `pg`. */

import { type Dialect, PostgresAdapter, PostgresDialect } from "kysely";
import pg from "pg";
import { errorFields, type Log } from "../../log.ts";
import { ConnectionGate } from "./connection_gate.ts";
import { sqlState } from "./errors.ts";
import type { PostgresServer, TlsContents } from "./postgres_server.ts";

/** Connections at most, where no setting says another number. */
const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 3_000;
/** How long a query waits for a connection, in milliseconds. */
const WAIT_MS = 5_000;
/** The server gives up on a statement after this, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/**
 * The client gives up a little later: this is for a server that no longer answers at all, and for a
 * line that leads nowhere since a failover, or since something on the way forgot it.
 */
const QUERY_TIMEOUT_MS = 12_000;
/** What `pg` then says; it gives no code. */
const GIVEN_UP = "Query read timeout";

/** Texts that are prepared at most. A name is made of a counter, so two texts never share one. */
const MAX_PREPARED_TEXTS = 500;

export interface PoolCounts {
  readonly total: number;
  readonly idle: number;
  /** Queries that wait for a connection. */
  readonly waiting: number;
}

export interface PoolOptions {
  /** Connections at most, opened on demand. */
  readonly size?: number;
  /**
   * After so many milliseconds without an answer a query fails with `Query read timeout`, and its
   * connection is closed.
   */
  readonly queryTimeoutMs?: number;
}

/**
 * A Kysely dialect over a pool of connections.
 *
 * It works through a connection pooler as well (PgBouncer in transaction mode): nothing it sends
 * needs a session but what {@link startSession} asks for where there is one.
 *
 * @param log told of connections that break while idle
 */
export function postgresDialect(
  server: PostgresServer,
  tls: TlsContents | false,
  log: Log,
  { size = POOL_SIZE, queryTimeoutMs = QUERY_TIMEOUT_MS }: PoolOptions = {},
): { dialect: Dialect; pool: () => PoolCounts } {
  const pool = new pg.Pool({
    host: server.host,
    port: server.port,
    user: server.user,
    database: server.database,
    password: server.password ?? noPassword,
    application_name: server.applicationName,
    options: server.options,
    ssl: tls,
    Client: clientClass(),
    types: { getTypeParser },
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    onConnect: (client) => startSession(client as PoolClient),
  });
  pool.on(
    "error",
    (error) => log.warn("idle database connection lost", errorFields(error)),
  );
  // Without a listener on every client, one that breaks while checked out ends the process.
  // The error itself rejects the query.
  pool.on("connect", (client) => client.on("error", () => {}));
  const gate = new ConnectionGate({
    size,
    waitMs: WAIT_MS,
    open: () => pool.connect(),
    isFull: hasNoRoom,
    count: () => pool.totalCount,
  });
  return {
    dialect: new UnlockedDialect({
      pool: {
        connect: async () => {
          const client = await gate.acquire();
          const giveBack = client.release;
          client.release = (error) => {
            giveBack(error);
            gate.release();
          };
          return client;
        },
        end: () => pool.end(),
        options: pool.options,
      },
    }),
    pool: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: gate.waiting,
    }),
  };
}

/** Called when the server asks for one. The driver would look for a file of passwords. */
function noPassword(): never {
  throw new Error("the server asks for a password, and none is set");
}

/**
 * Whether the server, or a PgBouncer, has as many connections as it allows. PgBouncer has no code of
 * its own for that.
 */
function hasNoRoom(error: unknown): boolean {
  return sqlState(error) === "53300" ||
    error instanceof Error &&
      /^no more connections allowed/.test(error.message);
}

/** PostgreSQL without Kysely's lock of migrations: `migrate()` takes one of its own. */
class UnlockedDialect extends PostgresDialect {
  override createAdapter() {
    return new UnlockedAdapter();
  }
}

class UnlockedAdapter extends PostgresAdapter {
  override acquireMigrationLock = () => Promise.resolve();
  override releaseMigrationLock = () => Promise.resolve();
}

/** bigint columns are counters far below 2^53: read them as numbers. */
function getTypeParser(oid: number, format?: "text" | "binary") {
  if (oid === pg.types.builtins.INT8 && format !== "binary") return Number;
  return pg.types.getTypeParser(oid, format);
}

type Query = (...args: unknown[]) => unknown;

/** A connection of the pool. */
interface PoolClient extends pg.Client {
  /** The server process that was named when the connection was made. */
  readonly processID: number;
  /** Whether that process serves this connection as long as it lives. */
  hasSession: boolean;
}

/** The pool's clients: they prepare statements where they may, and end with a query that was given up. */
function clientClass(): typeof pg.Client {
  const prepared = namesStatements();
  return class extends pg.Client {
    hasSession = false;
    // `query` has many overloads: (text, values) is changed, and what answers with a promise.
    override query = ((...args: unknown[]) => {
      const query = pg.Client.prototype.query as Query;
      const answer = query.apply(this, this.hasSession ? prepared(args) : args);
      return answer instanceof Promise ? endsIfGivenUp(this, answer) : answer;
    }) as typeof pg.Client.prototype.query;
  };
}

/**
 * Finds out whether a new connection has a server process of its own, and sets its time-out if so.
 *
 * Behind a pooler each transaction may be another process's: what is set or prepared there would be
 * missing in the next one, and in the way of others. A pooler gives a number of its own for the
 * process, so the two differ.
 */
async function startSession(client: PoolClient): Promise<void> {
  const query = {
    text:
      `select set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', false)
       where pg_backend_pid() = ${client.processID}`,
    // A pooler accepts connections also while it has no server to pass them on to.
    query_timeout: WAIT_MS,
  };
  const { rows } = await client.query(query);
  client.hasSession = rows.length > 0;
}

/**
 * Ends a client whose query was given up. `pg` itself goes on waiting for the answer on that line and
 * the pool would lend it out again, first of all, so that a line that is dead fails query after query
 * though a new one would be good.
 *
 * It ends before the caller hears of it, and so before it is released: the pool looks at that moment
 * whether a client still serves, and would lend it to the next query. With a query under way `end()`
 * closes the socket at once and emits no error.
 */
function endsIfGivenUp(
  client: pg.Client,
  answer: Promise<unknown>,
): Promise<unknown> {
  return answer.catch((error) => {
    if (error instanceof Error && error.message === GIVEN_UP) void client.end();
    throw error;
  });
}

/**
 * Changes a query's arguments so that every statement with parameters is prepared under a name of its
 * own, and PostgreSQL parses and plans it once a connection. The program's statements are few; should
 * some query ever make texts without end, those past the first {@link MAX_PREPARED_TEXTS} are not
 * named.
 */
function namesStatements(): (args: unknown[]) => unknown[] {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    let name = names.get(text);
    if (name === undefined && names.size < MAX_PREPARED_TEXTS) {
      name = `s${names.size}`;
      names.set(text, name);
    }
    return name;
  };
  return (args) => {
    const [text, values] = args;
    return typeof text === "string" && Array.isArray(values) &&
        values.length > 0
      ? [{ name: nameOf(text), text, values }]
      : args;
  };
}
