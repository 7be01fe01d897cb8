/** What went wrong in the database, told apart by SQLSTATE. */

/** The database has migrations this program does not know: it belongs to a newer version. */
export class NewerDatabaseError extends Error {
  override name = "NewerDatabaseError";
}

/** The database cannot be asked now: the connection has ended, none is free in time, or all are closed. */
export class UnavailableError extends Error {
  override name = "UnavailableError";
}

/**
 * The five-character SQLSTATE of an error raised by PostgreSQL, else undefined. Each has a digit in
 * it; the operating system's `EPIPE` is of the same length and has none.
 */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)
    ? code
    : undefined;
}

/** A unique index refused the row. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === "23505";
}

/**
 * Another transaction was in the way (serialization failure, deadlock): nothing was stored, and
 * the same statement may succeed when tried again.
 */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/** What Kysely and PGlite say, without a code, when all is closed. */
const CLOSED = /^driver has already been destroyed$|^PGlite is clos(ed|ing)$/;

/**
 * The database could not be reached, or went away in between: the outcome of a write is unknown.
 *
 * A lost connection is an {@link UnavailableError}, or has the operating system's code (ECONNREFUSED,
 * EPIPE) or postgres.js's (CONNECTION_CLOSED). PostgreSQL's own shutdown is class 57P, its refusals to
 * connect are 08 and 53, a cancelled statement 57014, a standby that cannot write 25006.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) {
    return /^(57P|08|53)/.test(state) || state === "57014" || state === "25006";
  }
  if (error instanceof UnavailableError) return true;
  if (!(error instanceof Error)) return false;
  // Several addresses of one host that all refuse come as one error.
  if (error instanceof AggregateError) return error.errors.every(isUnavailable);
  const { code } = error as { code?: unknown };
  return typeof code === "string"
    ? /^(E[A-Z]+|CONNECTION_[A-Z]+)$/.test(code)
    : CLOSED.test(error.message);
}
