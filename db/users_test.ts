import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import { NOON } from "../tests/helpers/records.ts";
import { findOrCreateUser, findUserByName } from "./users.ts";

const test = useTestDatabase();

Deno.test("findOrCreateUser() gives one user to many who ask at once", async () => {
  const asked = await Promise.all(
    Array.from({ length: 20 }, () =>
      findOrCreateUser(
        test.db,
        { id: crypto.randomUUID(), username: "alice" },
        NOON,
      )),
  );
  assert.equal(new Set(asked.map((user) => user.id)).size, 1);
  const { count } = await test.db.selectFrom("users")
    .select((row) => row.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  assert.equal(count, 1);
});

Deno.test("findOrCreateUser() keeps the id of a known user", async () => {
  const id = crypto.randomUUID();
  await findOrCreateUser(test.db, { id, username: "bob" }, NOON);
  const again = await findOrCreateUser(
    test.db,
    { id: crypto.randomUUID(), username: "bob" },
    NOON,
  );
  assert.deepEqual(again, { id, username: "bob" });
});

Deno.test("findUserByName() gives undefined for nobody", async () => {
  assert.equal(await findUserByName(test.db, "nobody"), undefined);
});

Deno.test("findUserByName() takes names as data, not as SQL or patterns", async () => {
  await findOrCreateUser(
    test.db,
    { id: crypto.randomUUID(), username: "carol" },
    NOON,
  );
  assert.equal(await findUserByName(test.db, "car%"), undefined);
  assert.equal(await findUserByName(test.db, "' or true --"), undefined);
});
