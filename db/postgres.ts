/** PostgreSQL through `pg`. */

import { type Dialect, PostgresAdapter, PostgresDialect } from "kysely";
import pg from "pg";
import type { Log } from "../log.ts";
import { errorFields } from "../log.ts";

const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 3_000;
/** The server gives up on a statement after this, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/**
 * The client gives up a little later: this is for a server that no longer answers at all, and for a
 * line that leads nowhere since a failover, or since something on the way forgot it.
 */
const QUERY_TIMEOUT_MS = 12_000;
/** What `pg` then says; it gives no code. */
const GIVEN_UP = "Query read timeout";

/**
 * Longest name PostgreSQL keeps for a prepared statement, less room for a prefix. Names are counted,
 * not hashed, so two texts never share one.
 */
const MAX_PREPARED_TEXTS = 500;

export interface PoolCounts {
  readonly total: number;
  readonly idle: number;
  /** Queries that wait for a connection. */
  readonly waiting: number;
}

/**
 * A Kysely dialect over a pool of at most {@link POOL_SIZE} connections, opened on demand.
 *
 * @param log told of connections that break while idle
 * @param queryTimeoutMs after so long without an answer a query fails with `Query read timeout`, and
 * its connection is closed
 */
export function postgresDialect(
  connectionString: string,
  log: Log,
  queryTimeoutMs = QUERY_TIMEOUT_MS,
): { dialect: Dialect; pool: () => PoolCounts } {
  const pool = new pg.Pool({
    connectionString,
    Client: clientClass(),
    types: { getTypeParser },
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  });
  pool.on(
    "error",
    (error) => log.warn("idle database connection lost", errorFields(error)),
  );
  // Without a listener on every client, one that breaks while checked out ends the process.
  // The error itself reaches whoever waits for the query.
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    dialect: new UnlockedDialect({ pool }),
    pool: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
  };
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

/** The pool's clients: they prepare statements, and end with a query that was given up. */
function clientClass(): typeof pg.Client {
  const prepared = namesStatements();
  return class PoolClient extends pg.Client {
    // `query` has many overloads: (text, values) is changed, and what answers with a promise.
    override query = ((...args: unknown[]) => {
      const query = pg.Client.prototype.query as Query;
      const answer = query.apply(this, prepared(args));
      return answer instanceof Promise ? endsIfGivenUp(this, answer) : answer;
    }) as typeof pg.Client.prototype.query;
  };
}

/**
 * Ends a client whose query was given up. `pg` itself goes on waiting for the answer on that line and
 * the pool would lend it out again, first of all, so that a line that is dead fails query after query
 * though a new one would be good.
 *
 * It ends before the caller hears of it, and so before it is released: the pool looks at that moment
 * whether a client still serves, and would lend it to whoever waits. With a query under way `end()`
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
