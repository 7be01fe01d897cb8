/** PostgreSQL through `pg`. */

import { type Dialect, PostgresDialect } from "kysely";
import pg from "pg";
import type { Log } from "../log.ts";
import { errorFields } from "../log.ts";

const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 3_000;
/** The server gives up on a statement after this, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** The client gives up a little later: this is for a server that no longer answers at all. */
const QUERY_TIMEOUT_MS = 12_000;

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
 */
export function postgresDialect(
  connectionString: string,
  log: Log,
): { dialect: Dialect; pool: () => PoolCounts } {
  const pool = new pg.Pool({
    connectionString,
    Client: preparingClient(),
    types: { getTypeParser },
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
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
    dialect: new PostgresDialect({ pool }),
    pool: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
  };
}

/** bigint columns are counters far below 2^53: read them as numbers. */
function getTypeParser(oid: number, format?: "text" | "binary") {
  if (oid === pg.types.builtins.INT8 && format !== "binary") return Number;
  return pg.types.getTypeParser(oid, format);
}

/**
 * A client that prepares every statement with parameters under a name of its own, so that
 * PostgreSQL parses and plans it once a connection. The program's statements are few; should
 * some query ever make texts without end, those past the first {@link MAX_PREPARED_TEXTS} are not
 * named.
 */
function preparingClient(): typeof pg.Client {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    let name = names.get(text);
    if (name === undefined && names.size < MAX_PREPARED_TEXTS) {
      name = `s${names.size}`;
      names.set(text, name);
    }
    return name;
  };
  return class PreparingClient extends pg.Client {
    // `query` has many overloads; only (text, values) is changed.
    override query = ((...args: unknown[]) => {
      const [text, values] = args;
      const plain = pg.Client.prototype.query as (
        ...args: unknown[]
      ) => unknown;
      if (
        typeof text !== "string" || !Array.isArray(values) ||
        values.length === 0
      ) {
        return plain.apply(this, args);
      }
      return plain.call(this, { name: nameOf(text), text, values });
    }) as typeof pg.Client.prototype.query;
  };
}
