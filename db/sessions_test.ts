import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import { after, makeUser, NOON } from "../tests/helpers/records.ts";
import { deleteAccount } from "./accounts.ts";
import {
  findTokenUser,
  listTokensFrom,
  revokeUserSessions,
} from "./sessions.ts";

const test = useTestDatabase();

Deno.test("listTokensFrom() names who has signed out everywhere or is gone, as a request would see it", async () => {
  const [stays, leaves, gone, unasked] = [
    await makeUser(test.db),
    await makeUser(test.db),
    await makeUser(test.db),
    await makeUser(test.db),
  ];
  for (const { id } of [leaves, unasked]) {
    await revokeUserSessions(test.db, id, after(10));
  }
  await deleteAccount(test.db, gone.id, after(10));
  const ids = [stays.id, leaves.id, gone.id, crypto.randomUUID()];
  const found = await listTokensFrom(test.db, ids);
  const users = found.map(({ userId }) => userId).sort();
  assert.deepEqual(users, [leaves.id, gone.id].sort());
  assert.deepEqual(await listTokensFrom(test.db, []), []);
  for (const issuedAt of [after(9), after(10), after(11)]) {
    for (const { userId, from } of found) {
      const token = { userId, sessionId: undefined, issuedAt };
      const user = await findTokenUser(test.db, token, NOON);
      assert.equal(user === undefined, issuedAt < from);
    }
  }
});
