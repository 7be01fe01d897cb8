import { sql } from "kysely";
import assert from "node:assert/strict";
import { useTestDatabase } from "../../tests/helpers/database.ts";
import { makeUser, NOON } from "../../tests/helpers/records.ts";
import {
  isConflict,
  isUnavailable,
  isUniqueViolation,
  sqlState,
  UnavailableError,
} from "./errors.ts";

const test = useTestDatabase();

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => assert.fail("it succeeded"), (error) => error);
}

Deno.test("isUniqueViolation() knows a refused row", async () => {
  const user = await makeUser(test.db);
  const error = await errorOf(
    test.db.insertInto("users")
      .values({ ...user, created_at: NOON, updated_at: NOON }).execute(),
  );
  assert.equal(isUniqueViolation(error), true);
  assert.equal(isUnavailable(error), false);
});

Deno.test("isUnavailable() is false for our own faults: bad SQL and bad values", async () => {
  for (const text of ["selekt", "select 1/0", "select 'x'::uuid"]) {
    const error = await errorOf(sql.raw(text).execute(test.db));
    assert.notEqual(sqlState(error), undefined, text);
    assert.equal(isUnavailable(error), false, text);
  }
});

Deno.test("isUnavailable() knows a lost connection, a shutdown and a time-out", () => {
  const withCode = (code: string) => Object.assign(new Error(), { code });
  for (const code of ["57P01", "57P03", "08006", "53300", "57014"]) {
    assert.equal(isUnavailable(withCode(code)), true, code);
  }
  assert.equal(isUnavailable(withCode("ECONNREFUSED")), true);
  assert.equal(isUnavailable(withCode("CONNECTION_CLOSED")), true);
  assert.equal(isUnavailable(new UnavailableError("lost")), true);
  assert.equal(isUnavailable(new TypeError("x is not a function")), false);
  assert.equal(isUnavailable(new Error("a fault of ours")), false);
  const refused = () => withCode("ECONNREFUSED");
  assert.equal(isUnavailable(new AggregateError([refused(), refused()])), true);
  assert.equal(isUnavailable(undefined), false);
});

Deno.test("isConflict() knows what may be tried again", () => {
  assert.equal(isConflict({ code: "40001" }), true);
  assert.equal(isConflict({ code: "40P01" }), true);
  assert.equal(isConflict({ code: "23505" }), false);
});

Deno.test("a broken pipe is a lost database: its code has the length of a SQLSTATE but is none", () => {
  const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  assert.equal(sqlState(broken), undefined);
  assert.equal(isUnavailable(broken), true);
});
