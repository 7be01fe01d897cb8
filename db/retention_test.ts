import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { replaceLoginCode, tryLoginCode } from "./login_codes.ts";
import { listAfter } from "./message_history.ts";
import { storeMessages } from "./messages.ts";
import {
  removeEndedSessions,
  removeExpiredLoginCodes,
  removeOldMessages,
  removeUnusedNames,
} from "./retention.ts";
import { createSession } from "./sessions.ts";

const test = useTestDatabase();

async function roomWithMessages(count: number) {
  const [user, reader] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, user, reader);
  for (let n = 1; n <= count; n++) {
    const message = newMessage(roomId, user.id);
    await storeMessages(test.db, [message], after(n * 1000));
  }
  return { user, reader, roomId };
}

const seqsOf = async (roomId: string) =>
  (await listAfter(test.db, roomId, 0, 100)).map(({ seq }) => seq);

Deno.test("removeOldMessages() takes the oldest of each room and leaves no gap, whatever the limit", async () => {
  const one = await roomWithMessages(6);
  const two = await roomWithMessages(3);
  let removed = 0;
  for (;;) {
    const count = await removeOldMessages(test.db, after(4000), 2);
    removed += count;
    for (const { roomId } of [one, two]) {
      const left = await seqsOf(roomId);
      assert.deepEqual(left, left.map((_, index) => left[0]! + index));
    }
    if (count < 2) break;
  }
  assert.equal(removed, 6);
  assert.deepEqual(await seqsOf(one.roomId), [4, 5, 6]);
  assert.deepEqual(await seqsOf(two.roomId), []);
});

Deno.test("after removeOldMessages() new messages have the next number", async () => {
  const { user, roomId } = await roomWithMessages(3);
  await removeOldMessages(test.db, after(60_000), 100);
  const [stored] = await storeMessages(
    test.db,
    [newMessage(roomId, user.id)],
    after(70_000),
  );
  assert.equal(stored?.seq, 4);
});

Deno.test("removeOldMessages() lets what is gone count as read", async () => {
  const { reader, roomId } = await roomWithMessages(5);
  const position = () =>
    test.db.selectFrom("memberships").select("last_seen_seq")
      .where("room_id", "=", roomId).where("user_id", "=", reader.id)
      .executeTakeFirstOrThrow();
  assert.equal((await position()).last_seen_seq, 0);
  await removeOldMessages(test.db, after(4000), 100);
  assert.equal((await position()).last_seen_seq, 3);
});

Deno.test("removeExpiredLoginCodes() removes dead codes and leaves living ones usable", async () => {
  const [dead, alive] = [await makeUser(test.db), await makeUser(test.db)];
  for (const [user, life] of [[dead, 1000], [alive, 1001]] as const) {
    await replaceLoginCode(test.db, {
      userId: user.id,
      codeHash: "right",
      expiresAt: after(life),
      now: NOON,
    });
  }
  await removeExpiredLoginCodes(test.db, after(1000));
  const rows = await test.db.selectFrom("login_codes").select("user_id")
    .where("user_id", "in", [dead.id, alive.id]).execute();
  assert.deepEqual(rows, [{ user_id: alive.id }]);
  const attempt = { userId: alive.id, codeHash: "right", now: after(1000) };
  assert.ok(await tryLoginCode(test.db, attempt));
});

Deno.test("removeUnusedNames() deletes names that only a code was ever asked for, when that is long ago", async () => {
  const ask = async (now: Date, user = makeUser(test.db)) => {
    const { id } = await user;
    const code = { userId: id, codeHash: "right", now };
    await replaceLoginCode(test.db, { ...code, expiresAt: after(600_000) });
    return id;
  };
  const gone = await Promise.all([ask(NOON), ask(NOON), ask(NOON)]);
  const signedIn = await ask(NOON);
  const code = { userId: signedIn, codeHash: "right", now: NOON };
  assert.ok(await tryLoginCode(test.db, code));
  const addressed = await ask(NOON);
  await test.db.updateTable("users").set({ email: "set@example.org" })
    .where("id", "=", addressed).execute();
  const creator = await makeUser(test.db);
  const joined = await makeUser(test.db);
  await makeRoom(test.db, creator, joined);
  const kept = [
    signedIn,
    addressed,
    await ask(NOON, Promise.resolve(creator)),
    await ask(NOON, Promise.resolve(joined)),
    await ask(after(1)),
    (await makeUser(test.db)).id,
  ];
  const counts = [];
  for (let round = 0; round < 3; round++) {
    counts.push(await removeUnusedNames(test.db, after(1), 2));
  }
  assert.deepEqual(counts, [2, 1, 0]);
  const left = await test.db.selectFrom("users").select("id")
    .where("id", "in", [...gone, ...kept]).execute();
  assert.deepEqual(left.map(({ id }) => id).sort(), kept.sort());
});

Deno.test("removeEndedSessions() removes what ended more than a day ago", async () => {
  const day = 86_400_000;
  const { id: userId } = await makeUser(test.db);
  const make = async (expiresAt: Date, revokedAt?: Date) => {
    const id = crypto.randomUUID();
    await createSession(test.db, {
      id,
      userId,
      refreshHash: id,
      userAgent: "",
      now: NOON,
      expiresAt,
    });
    if (revokedAt !== undefined) {
      await test.db.updateTable("sessions").set({ revoked_at: revokedAt })
        .where("id", "=", id).execute();
    }
    return id;
  };
  const alive = await make(after(9 * day));
  const justEnded = await make(after(9 * day), after(2 * day));
  const longEnded = await make(after(9 * day), after(day));
  const expired = await make(after(day));
  await removeEndedSessions(test.db, after(2 * day + 1));
  const left = await test.db.selectFrom("sessions").select("id")
    .where("user_id", "=", userId).execute();
  assert.deepEqual(
    left.map(({ id }) => id).sort(),
    [alive, justEnded].sort(),
  );
  assert.ok(![longEnded, expired].some((id) => left.some((s) => s.id === id)));
});
