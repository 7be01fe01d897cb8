/** PostgreSQL through postgres.js and kysely-postgres-js, over a pool of our own. */

import {
  AbortedTransactionError,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresAdapter,
} from "kysely";
import {
  PostgresJSDialect,
  type PostgresJSDialectConfig,
  PostgresJSDriver,
  type PostgresJSPendingQuery,
  type PostgresJSReservedSql,
  type PostgresJSSql,
} from "kysely-postgres-js";
import { errorFields, type Log } from "../../log.ts";
import { sqlState, UnavailableError } from "./errors.ts";
import { PostgresConnection } from "./postgres_connection.ts";
import { type PoolCounts, PostgresPool } from "./postgres_pool.ts";
import type { PostgresServer, TlsContents } from "./postgres_server.ts";

/** Connections at most, where no setting says another number. */
const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 3_000;
/** How long a query waits for a connection, in milliseconds. */
const WAIT_MS = 5_000;
/** A connection that nobody needs for so long is closed, in milliseconds. */
const IDLE_MS = 10_000;
/** The server gives up on a statement after this, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/**
 * The client gives up a little later: this is for a server that no longer answers at all, and for a
 * line that leads nowhere since a failover, or since something on the way forgot it.
 */
const QUERY_TIMEOUT_MS = 12_000;

/** Texts that are prepared at most, should some query ever make texts without end. */
const MAX_PREPARED_TEXTS = 500;

export interface PostgresOptions {
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
 * @throws {Error} when no user is known to connect as
 */
export function postgresDialect(
  server: PostgresServer,
  tls: TlsContents | false,
  log: Log,
  { size = POOL_SIZE, queryTimeoutMs = QUERY_TIMEOUT_MS }: PostgresOptions = {},
): { dialect: Dialect; pool: () => PoolCounts } {
  if (server.user === undefined) {
    throw new Error("no user is named, in it or in PGUSER");
  }
  const withSession = new WeakSet<PostgresConnection>();
  const texts = new Set<string>();
  const pool = new PostgresPool({
    size,
    waitMs: WAIT_MS,
    idleMs: IDLE_MS,
    create: (onLost) =>
      new PostgresConnection(
        { server, tls, connectTimeoutMs: CONNECT_TIMEOUT_MS },
        onLost,
      ),
    async start(connection) {
      if (await startSession(connection)) withSession.add(connection);
    },
    isFull: hasNoRoom,
    onIdleLost: (error) =>
      log.warn("idle database connection lost", errorFields(error)),
  });
  const run = (
    connection: PostgresConnection,
    text: string,
    parameters: readonly unknown[],
  ) => {
    if (texts.size < MAX_PREPARED_TEXTS) texts.add(text);
    const prepare = withSession.has(connection) && texts.has(text);
    return connection.run(text, parameters, {
      timeoutMs: queryTimeoutMs,
      prepare,
    });
  };
  return {
    dialect: new PooledDialect({ postgres: () => asSql(pool, run) }),
    pool: () => pool.counts(),
  };
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

/**
 * Connects, finds out whether the connection has a server process of its own, and sets its time-out if
 * so.
 *
 * Behind a pooler each transaction may be another process's: what is set or prepared there would be
 * missing in the next one, and in the way of others. A pooler gives a number of its own for the
 * process, so the two differ.
 */
async function startSession(connection: PostgresConnection): Promise<boolean> {
  // A pooler accepts connections also while it has no server to pass them on to.
  const options = { timeoutMs: WAIT_MS, prepare: false };
  const rows = await connection.run(
    "select pg_backend_pid() as pid",
    [],
    options,
  );
  if (rows[0]?.pid !== rows.state.pid) return false;
  await connection.run(
    `set statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
    [],
    options,
  );
  return true;
}

type Run = (
  connection: PostgresConnection,
  text: string,
  parameters: readonly unknown[],
) => ReturnType<PostgresConnection["run"]>;

/** The part of postgres.js that kysely-postgres-js uses, over the pool. */
function asSql(pool: PostgresPool, run: Run): PostgresJSSql {
  return {
    options: {},
    end: () => pool.close(),
    async reserve(): Promise<PostgresJSReservedSql> {
      const connection = await pool.acquire();
      return {
        release: () => pool.release(connection),
        unsafe(text, parameters = []): PostgresJSPendingQuery {
          const answer = run(connection, text, parameters).then((rows) => {
            // A transaction that an error has ended is rolled back by its commit, without another error.
            if (text === "commit" && rows.command === "ROLLBACK") {
              throw new AbortedTransactionError();
            }
            return rows;
          });
          const cancel = () =>
            connection.lose(new UnavailableError("Query cancelled"));
          return Object.assign(answer, { cancel });
        },
      };
    },
  };
}

class PooledDialect extends PostgresJSDialect {
  readonly #config: PostgresJSDialectConfig;

  constructor(config: PostgresJSDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver() {
    return new PooledDriver(this.#config);
  }

  override createAdapter() {
    return new UnlockedAdapter();
  }
}

class PooledDriver extends PostgresJSDriver {
  /** kysely-postgres-js 5.0.0 has no way to discard a connection whose rollback fails: it is lost anyway. */
  override async rollbackTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }
}

/** Without Kysely's lock of migrations: `migrate()` takes one of its own. */
class UnlockedAdapter extends PostgresAdapter {
  override acquireMigrationLock = () => Promise.resolve();
  override releaseMigrationLock = () => Promise.resolve();
}
