import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import { after, makeUser, NOON } from "../tests/helpers/records.ts";
import { deleteAccount } from "./accounts.ts";
import {
  createSession,
  findTokenUser,
  listRevokedWithin,
  listTokensFrom,
  revokeSession,
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

Deno.test("listRevokedWithin() finds what ended a moment ago, whatever the clock of the process that ended it said", async () => {
  const hour = 3_600_000;
  const begin = async (userId: string) => {
    const id = crypto.randomUUID();
    await createSession(test.db, {
      id,
      userId,
      refreshHash: id,
      userAgent: "",
      now: NOON,
      expiresAt: new Date(Date.now() + 24 * hour),
    });
    return id;
  };
  const [one, two, three] = [
    await makeUser(test.db),
    await makeUser(test.db),
    await makeUser(test.db),
  ];
  const ended = [
    await begin(one.id),
    await begin(two.id),
    await begin(three.id),
  ];
  const early = await begin(one.id);
  const [behind, ahead] = [-hour, hour].map((ms) => new Date(Date.now() + ms));
  await revokeSession(test.db, ended[0]!, behind!);
  await revokeUserSessions(test.db, two.id, ahead!);
  await deleteAccount(test.db, three.id, behind!);
  await test.db.updateTable("sessions").set({
    revoked_at: new Date(Date.now() - hour),
  }).where("id", "=", early).execute();
  const found = await listRevokedWithin(test.db, hour / 2);
  for (const id of ended) assert.ok(found.includes(id));
  assert.ok(!found.includes(early));
});
