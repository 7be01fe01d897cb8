import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  makeRoom,
  makeUser,
  newMessage,
  NO_LIMITS,
  NOON,
} from "../tests/helpers/records.ts";
import {
  addMember,
  isMember,
  listMembers,
  memberRoomsAmong,
  type MembershipKey,
  missingMemberships,
  pageMembers,
  removeMember,
  storeReadMarkers,
} from "./memberships.ts";
import { storeMessages } from "./messages.ts";
import { findRoom } from "./rooms.ts";

const test = useTestDatabase();

Deno.test("addMember() says joined once, already afterwards, and no_room for no such room", async () => {
  const [creator, user] = [await makeUser(test.db), await makeUser(test.db)];
  const member = {
    roomId: await makeRoom(test.db, creator),
    userId: user.id,
    now: NOON,
  };
  assert.equal(await addMember(test.db, member, NO_LIMITS), "joined");
  assert.equal(await addMember(test.db, member, NO_LIMITS), "already");
  const nowhere = { ...member, roomId: crypto.randomUUID() };
  assert.equal(await addMember(test.db, nowhere, NO_LIMITS), "no_room");
});

Deno.test("addMember() lets one of ten joins at the same moment be the one", async () => {
  const [creator, user] = [await makeUser(test.db), await makeUser(test.db)];
  const member = {
    roomId: await makeRoom(test.db, creator),
    userId: user.id,
    now: NOON,
  };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => addMember(test.db, member, NO_LIMITS)),
  );
  assert.equal(answers.filter((answer) => answer === "joined").length, 1);
});

Deno.test("addMember() counts what was written before as seen", async () => {
  const [creator, user] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, creator);
  await storeMessages(test.db, [newMessage(roomId, creator.id)], after(5));
  await addMember(
    test.db,
    { roomId, userId: user.id, now: after(10) },
    NO_LIMITS,
  );
  const room = await findRoom(test.db, roomId, user.id);
  assert.equal(room?.last_seen_seq, 1);
  assert.deepEqual(room?.joined_at, after(10));
});

Deno.test("removeMember() ends a membership once", async () => {
  const [creator, user] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, creator, user);
  assert.equal(await isMember(test.db, roomId, user.id), true);
  assert.equal(await removeMember(test.db, roomId, user.id), true);
  assert.equal(await isMember(test.db, roomId, user.id), false);
  assert.equal(await removeMember(test.db, roomId, user.id), false);
});

Deno.test("listMembers() names everyone in the room by name, and nobody else", async () => {
  const zoe = await makeUser(test.db, "zoe");
  const ann = await makeUser(test.db, "ann");
  await makeUser(test.db, "mia");
  const roomId = await makeRoom(test.db, zoe, ann);
  const members = await listMembers(test.db, roomId);
  assert.deepEqual(members.map((member) => member.id), [ann.id, zoe.id]);
  assert.deepEqual(members[0]?.joined_at, NOON);
});

Deno.test("pageMembers() gives a part of them by name, also after a name that is not there", async () => {
  const users = [
    await makeUser(test.db, "carol"),
    await makeUser(test.db, "alice"),
    await makeUser(test.db, "bob"),
  ];
  const roomId = await makeRoom(test.db, users[0]!, users[1]!, users[2]!);
  const page = async (limit: number, after?: string) =>
    (await pageMembers(test.db, roomId, { limit, after }))
      .map(({ username }) => username.replace(/_.*/, ""));
  assert.deepEqual(await page(2), ["alice", "bob"]);
  assert.deepEqual(await page(2, users[2]!.username), ["carol"]);
  assert.deepEqual(await page(2, "b"), ["bob", "carol"]);
  assert.deepEqual(await page(2, "d"), []);
});

Deno.test("memberRoomsAmong() keeps only the user's rooms, with their newest seq and rev", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const own = await makeRoom(test.db, user);
  const foreign = await makeRoom(test.db, other);
  await storeMessages(
    test.db,
    [newMessage(own, user.id), newMessage(own, user.id)],
    NOON,
  );
  const asked = [own, foreign, crypto.randomUUID(), own];
  assert.deepEqual(await memberRoomsAmong(test.db, user.id, asked), [
    { room_id: own, last_seq: 2, last_rev: 0 },
  ]);
  assert.deepEqual(await memberRoomsAmong(test.db, user.id, []), []);
});

Deno.test("storeSeenMarks() moves positions forward and never back", async () => {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, user);
  const mark = async (seq: number, at: Date) => {
    await storeReadMarkers(test.db, [{ roomId, userId: user.id, seq, at }]);
    const room = await findRoom(test.db, roomId, user.id);
    return [room?.last_seen_seq, room?.last_seen_at];
  };
  assert.deepEqual(await mark(5, after(50)), [5, after(50)]);
  assert.deepEqual(await mark(3, after(90)), [5, after(50)]);
  assert.deepEqual(await mark(6, after(20)), [6, after(50)]);
});

Deno.test("storeSeenMarks() passes over those who left and stores the others", async () => {
  const [user, gone] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, user);
  await storeReadMarkers(test.db, []);
  await storeReadMarkers(test.db, [
    { roomId, userId: gone.id, seq: 2, at: NOON },
    { roomId, userId: user.id, seq: 2, at: NOON },
  ]);
  const room = await findRoom(test.db, roomId, user.id);
  assert.equal(room?.last_seen_seq, 2);
  assert.equal(await isMember(test.db, roomId, gone.id), false);
});

Deno.test("missingMemberships() names those that do not exist, and no other", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const [own, both] = [
    await makeRoom(test.db, user),
    await makeRoom(test.db, user, other),
  ];
  const gone = { userId: other.id, roomId: own };
  const nowhere = { userId: user.id, roomId: crypto.randomUUID() };
  const nobody = { userId: crypto.randomUUID(), roomId: both };
  const missing = await missingMemberships(test.db, [
    ...[{ userId: user.id, roomId: own }, gone, nowhere],
    ...[{ userId: other.id, roomId: both }, nobody],
  ]);
  const sorted = (keys: MembershipKey[]) =>
    keys.map(({ userId, roomId }) => `${userId} ${roomId}`).sort();
  assert.deepEqual(sorted(missing), sorted([gone, nowhere, nobody]));
  assert.deepEqual(await missingMemberships(test.db, []), []);
});

Deno.test("missingMemberships() looks at a thousand at once", async () => {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, user);
  const keys = Array.from({ length: 1_000 }, (_, index) => ({
    userId: user.id,
    roomId: index % 10 === 0 ? roomId : crypto.randomUUID(),
  }));
  assert.equal((await missingMemberships(test.db, keys)).length, 900);
});
