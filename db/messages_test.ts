import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { isConflict, isUniqueViolation } from "./engine/errors.ts";
import { removeMember } from "./memberships.ts";
import {
  findSeq,
  listAfter,
  listBefore,
  listMissed,
} from "./message_history.ts";
import {
  findPosts,
  type NewMessage,
  type StoredMessage,
  storeMessages,
} from "./messages.ts";

const test = useTestDatabase();

const seqs = (rows: readonly { seq: number }[]) => rows.map((row) => row.seq);

/** Stores as the writer does: again when another writer was in the way. */
async function storeWithRetry(
  messages: NewMessage[],
  now: Date,
): Promise<StoredMessage[]> {
  for (;;) {
    try {
      return await storeMessages(test.db, messages, now);
    } catch (error) {
      if (!isUniqueViolation(error) && !isConflict(error)) throw error;
    }
  }
}

async function roomWithMessages(count: number) {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, user);
  for (let n = 1; n <= count; n++) {
    await storeMessages(
      test.db,
      [newMessage(roomId, user.id, `message ${n}`)],
      after(n * 1000),
    );
  }
  return { user, roomId };
}

Deno.test("storeMessages() numbers each room's messages in the order given", async () => {
  const user = await makeUser(test.db);
  const [one, two] = [
    await makeRoom(test.db, user),
    await makeRoom(test.db, user),
  ];
  const given = [one, two, one, one, two].map((room) =>
    newMessage(room, user.id)
  );
  const stored = await storeMessages(test.db, given, NOON);
  stored.sort((a, b) => a.index - b.index);
  assert.deepEqual(seqs(stored), [1, 1, 2, 3, 2]);
  assert.deepEqual(stored.map((m) => m.id), given.map((m) => m.id));
});

Deno.test("storeMessages() leaves no gap and no repeat with many writers", async () => {
  const users = await Promise.all(
    Array.from({ length: 4 }, () => makeUser(test.db)),
  );
  const [creator, ...others] = users as [typeof users[0], ...typeof users];
  const rooms = [
    await makeRoom(test.db, creator, ...others),
    await makeRoom(test.db, creator, ...others),
  ];
  await Promise.all(users.map(async (user, writer) => {
    for (let batch = 0; batch < 10; batch++) {
      const messages = [0, 1, 2].map((n) =>
        newMessage(rooms[(writer + batch + n) % 2]!, user.id)
      );
      await storeWithRetry(messages, after(batch));
    }
  }));
  let total = 0;
  for (const roomId of rooms) {
    const rows = await listAfter(test.db, roomId, 0, 1000);
    assert.deepEqual(seqs(rows), rows.map((_, n) => n + 1));
    total += rows.length;
    const times = rows.map((row) => row.created_at.getTime());
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
  }
  assert.equal(total, 4 * 10 * 3);
});

Deno.test("storeMessages() gives a repeated client id the first message and no number", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const first = newMessage(roomId, user.id, "first words");
  await storeMessages(test.db, [first], NOON);
  const again = {
    ...newMessage(roomId, user.id),
    clientMsgId: first.clientMsgId,
  };
  const fresh = newMessage(roomId, user.id);
  const stored = await storeMessages(test.db, [again, fresh], after(5));
  stored.sort((a, b) => a.index - b.index);
  assert.deepEqual(stored, [
    { index: 0, id: first.id, seq: 1, created_at: NOON },
    { index: 1, id: fresh.id, seq: 2, created_at: after(5) },
  ]);
});

Deno.test("storeMessages() stores a client id once when ten writers try at once", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const clientMsgId = crypto.randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      storeWithRetry(
        [{ ...newMessage(roomId, user.id), clientMsgId }],
        NOON,
      )),
  );
  assert.equal(new Set(answers.flat().map((m) => m.id)).size, 1);
  await storeMessages(test.db, [newMessage(roomId, user.id)], NOON);
  assert.deepEqual(seqs(await listAfter(test.db, roomId, 0, 100)), [1, 2]);
});

Deno.test("storeMessages() treats the same client id in another room or of another user as new", async () => {
  const [one, two] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, one, two);
  const otherRoom = await makeRoom(test.db, one);
  const message = newMessage(roomId, one.id);
  const stored = await storeMessages(test.db, [
    message,
    { ...message, id: crypto.randomUUID(), userId: two.id },
    { ...message, id: crypto.randomUUID(), roomId: otherRoom },
  ], NOON);
  assert.equal(new Set(stored.map((m) => m.id)).size, 3);
});

Deno.test("storeMessages() leaves out those who are no members and stores the rest", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const outsider = await makeUser(test.db);
  const stored = await storeMessages(test.db, [
    newMessage(roomId, outsider.id),
    newMessage(crypto.randomUUID(), user.id),
    newMessage(roomId, user.id),
  ], NOON);
  assert.deepEqual(stored.map((m) => [m.index, m.seq]), [[2, 1]]);
});

Deno.test("storeMessages() acks a stored message to an author who has left since", async () => {
  const [author, creator] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, creator, author);
  const message = newMessage(roomId, author.id);
  await storeMessages(test.db, [message], NOON);
  await removeMember(test.db, roomId, author.id);
  const again = { ...message, id: crypto.randomUUID() };
  const [stored] = await storeMessages(test.db, [again], after(1));
  assert.equal(stored?.id, message.id);
});

Deno.test("storeMessages() never lets created_at go back when the clock does", async () => {
  const { user, roomId } = await roomWithMessages(0);
  await storeMessages(test.db, [newMessage(roomId, user.id)], after(1000));
  const [second] = await storeMessages(
    test.db,
    [newMessage(roomId, user.id)],
    after(-60_000),
  );
  assert.deepEqual(second?.created_at, after(1000));
});

Deno.test("storeMessages() keeps every text to the letter", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const texts = [
    "quote ' \" \\ ; -- $1 %s",
    '{"a":[1]}',
    "👩‍👩‍👧‍👦 ﷽ \u202e x",
    "line\nline\ttab\u0001",
    "__proto__",
    "İstanbul ı",
  ];
  await storeMessages(
    test.db,
    texts.map((text) => newMessage(roomId, user.id, text)),
    NOON,
  );
  const rows = await listAfter(test.db, roomId, 0, 100);
  assert.deepEqual(rows.map((row) => row.text), texts);
});

Deno.test("storeMessages() stores a large batch in order", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const given = Array.from(
    { length: 1000 },
    (_, n) => newMessage(roomId, user.id, `${n}`),
  );
  await storeMessages(test.db, given, NOON);
  const rows = await listAfter(test.db, roomId, 0, 2000);
  assert.deepEqual(rows.map((row) => row.id), given.map((m) => m.id));
});

Deno.test("findPosts() and findSeq() find a message only in its own room", async () => {
  const { user, roomId } = await roomWithMessages(0);
  const other = await makeRoom(test.db, user);
  const message = newMessage(roomId, user.id);
  await storeMessages(test.db, [message], NOON);
  const { clientMsgId } = message;
  const missing = crypto.randomUUID();
  assert.deepEqual(
    await findPosts(test.db, user.id, [
      { roomId: other, clientMsgId },
      { roomId, clientMsgId },
      { roomId: missing, clientMsgId },
    ]),
    [
      { roomExists: true, isMember: true, stored: undefined },
      {
        roomExists: true,
        isMember: true,
        stored: { id: message.id, seq: 1, created_at: NOON },
      },
      { roomExists: false, isMember: false, stored: undefined },
    ],
  );
  const [stranger] = await findPosts(test.db, missing, [
    { roomId, clientMsgId },
  ]);
  assert.deepEqual(stranger, {
    roomExists: true,
    isMember: false,
    stored: undefined,
  });
  assert.equal(await findSeq(test.db, roomId, message.id), 1);
  assert.equal(await findSeq(test.db, other, message.id), undefined);
});

Deno.test("listBefore() gives the newest below a seq, oldest first; listAfter() the first above", async () => {
  const { roomId, user } = await roomWithMessages(6);
  assert.deepEqual(seqs(await listBefore(test.db, roomId, 5, 3)), [2, 3, 4]);
  assert.deepEqual(seqs(await listBefore(test.db, roomId, 3, 50)), [1, 2]);
  assert.deepEqual(seqs(await listAfter(test.db, roomId, 2, 3)), [3, 4, 5]);
  assert.deepEqual(seqs(await listAfter(test.db, roomId, 6, 3)), []);
  const [first] = await listAfter(test.db, roomId, 0, 1);
  assert.equal(first?.username, user.username);
  assert.deepEqual(first?.created_at, after(1000));
});

Deno.test("listMissed() reads after a seq and from a time on, each room for itself", async () => {
  const one = await roomWithMessages(4);
  const two = await roomWithMessages(4);
  const rows = await listMissed(test.db, [
    { roomId: one.roomId, afterSeq: 2 },
    { roomId: two.roomId, since: after(4000) },
  ], 100);
  const of = (roomId: string) =>
    seqs(rows.filter((row) => row.room_id === roomId));
  assert.deepEqual(of(one.roomId), [3, 4]);
  assert.deepEqual(of(two.roomId), [4]);
});

Deno.test("listMissed() repeats messages of the same millisecond and skips none", async () => {
  const { user, roomId } = await roomWithMessages(1);
  await storeMessages(
    test.db,
    [1, 2, 3].map(() => newMessage(roomId, user.id)),
    after(2000),
  );
  const from = async (since: Date) =>
    seqs(await listMissed(test.db, [{ roomId, since }], 100));
  assert.deepEqual(await from(after(2000)), [2, 3, 4]);
  assert.deepEqual(await from(after(2001)), []);
  assert.deepEqual(await from(after(1999)), [2, 3, 4]);
  assert.deepEqual(await from(new Date(0)), [1, 2, 3, 4]);
});

Deno.test("listMissed() limits each room, oldest first", async () => {
  const one = await roomWithMessages(4);
  const two = await roomWithMessages(3);
  const rows = await listMissed(
    test.db,
    [one, two].map(({ roomId }) => ({ roomId, afterSeq: 0 })),
    2,
  );
  for (const { roomId } of [one, two]) {
    assert.deepEqual(seqs(rows.filter((row) => row.room_id === roomId)), [
      1,
      2,
    ]);
  }
});

Deno.test("listMissed() gives nothing for no positions, unknown rooms and positions past the end", async () => {
  const { roomId } = await roomWithMessages(1);
  assert.deepEqual(await listMissed(test.db, [], 10), []);
  assert.deepEqual(
    await listMissed(test.db, [
      { roomId: crypto.randomUUID(), afterSeq: 0 },
      { roomId, afterSeq: 99 },
    ], 10),
    [],
  );
});
