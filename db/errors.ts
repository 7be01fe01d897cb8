/** What went wrong in the database, told apart by SQLSTATE. */

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

/** A foreign key refused the row: what it points to is gone. */
export function isForeignKeyViolation(error: unknown): boolean {
  return sqlState(error) === "23503";
}

/**
 * Another transaction was in the way (serialization failure, deadlock): nothing was stored, and
 * the same statement may succeed when tried again.
 */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/**
 * The database could not be reached, or went away in between: the outcome of a write is unknown.
 *
 * Connection losses carry no SQLSTATE with `pg` (`Connection terminated unexpectedly`,
 * ECONNREFUSED, time-outs); PostgreSQL's own shutdown is class 57P, its refusals to connect 08 and 53.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined) {
    return error instanceof Error && !(error instanceof TypeError);
  }
  return /^(57P|08|53)/.test(state) || state === "57014" || state === "25006";
}
