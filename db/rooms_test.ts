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
import { isMember } from "./memberships.ts";
import { storeMessages } from "./messages.ts";
import {
  createRoom,
  findRoom,
  listAllRooms,
  listUserRooms,
  newestSeqs,
  type RoomCursor,
} from "./rooms.ts";

const test = useTestDatabase();

function create(
  createdBy: string,
  name: string,
  id: string = crypto.randomUUID(),
) {
  return createRoom(test.db, { id, name, createdBy, now: NOON }, NO_LIMITS);
}

Deno.test("createRoom() makes the creator a member", async () => {
  const user = await makeUser(test.db);
  const id = crypto.randomUUID();
  assert.deepEqual(await create(user.id, "Garden", id), "created");
  assert.equal(await isMember(test.db, id, user.id), true);
  const room = await findRoom(test.db, id, user.id);
  assert.equal(room?.name, "Garden");
  assert.equal(room?.creator_username, user.username);
  assert.equal(room?.member_count, 1);
  assert.equal(room?.last_seq, 0);
  assert.deepEqual(room?.created_at, NOON);
});

Deno.test("createRoom() refuses a name that differs only in case, and stores nothing", async () => {
  const user = await makeUser(test.db);
  await create(user.id, "Kitchen");
  const id = crypto.randomUUID();
  const again = await create(user.id, "kITCHEN", id);
  assert.deepEqual(again, "name_taken");
  assert.equal(await findRoom(test.db, id, user.id), undefined);
});

Deno.test("createRoom() refuses a name that differs only in what is not seen", async () => {
  const user = await makeUser(test.db);
  assert.equal(await create(user.id, "Cellar"), "created");
  for (const name of ["Cellar\ufe0f", "Ce\u200dllar", "\u034fcellar"]) {
    assert.equal(await create(user.id, name), "name_taken");
  }
});

Deno.test("createRoom() lets one of ten at the same moment have the name", async () => {
  const user = await makeUser(test.db);
  const made = await Promise.all(
    Array.from({ length: 10 }, () => create(user.id, "Attic")),
  );
  assert.equal(made.filter((outcome) => outcome === "created").length, 1);
});

Deno.test("findRoom() shows a room to those outside it without their position", async () => {
  const [creator, outsider] = [
    await makeUser(test.db),
    await makeUser(test.db),
  ];
  const roomId = await makeRoom(test.db, creator);
  const room = await findRoom(test.db, roomId, outsider.id);
  assert.deepEqual(
    [room?.joined_at, room?.last_seen_at, room?.last_seen_seq],
    [null, null, null],
  );
  assert.equal(room?.member_count, 1);
});

Deno.test("listUserRooms() gives the user's rooms, most recently active first", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const quiet = await makeRoom(test.db, user);
  const busy = await makeRoom(test.db, user, other);
  await makeRoom(test.db, other);
  const list = async () =>
    (await listUserRooms(test.db, user.id, { limit: 10 }))
      .map((room) => room.id);
  await storeMessages(test.db, [newMessage(busy, user.id)], after(1000));
  assert.deepEqual(await list(), [busy, quiet]);
  await storeMessages(test.db, [newMessage(quiet, user.id)], after(2000));
  assert.deepEqual(await list(), [quiet, busy]);
  const rooms = await listUserRooms(test.db, user.id, { limit: 10 });
  assert.deepEqual(rooms.map((room) => room.member_count), [1, 2]);
});

Deno.test("listAllRooms() pages through every room once, also with equal activity", async () => {
  const user = await makeUser(test.db);
  const made = new Set<string>();
  for (let n = 0; n < 7; n++) made.add(await makeRoom(test.db, user));
  const seen: string[] = [];
  let after: RoomCursor | undefined;
  do {
    const page = await listAllRooms(test.db, user.id, {
      limit: 3,
      query: "room",
      after,
    });
    seen.push(...page.map((room) => room.id));
    const last = page.at(-1);
    after = last && { lastActivityAt: last.last_activity_at, id: last.id };
  } while (after !== undefined);
  assert.equal(new Set(seen).size, seen.length);
  for (const id of made) assert.ok(seen.includes(id));
});

Deno.test("listAllRooms() finds names by part, without regard to case and accents, signs to the letter", async () => {
  const user = await makeUser(test.db);
  await create(user.id, "100% Wool");
  await create(user.id, "1000 Woods");
  const find = async (query: string) =>
    (await listAllRooms(test.db, user.id, { limit: 10, query }))
      .map((room) => room.name);
  assert.deepEqual(await find("WOOL"), ["100% Wool"]);
  assert.deepEqual(await find("0%"), ["100% Wool"]);
  assert.deepEqual(await find("_"), []);
  assert.deepEqual(await find("' or true --"), []);
  assert.deepEqual((await find("woo")).length, 2);
  await create(user.id, "Café İzmir");
  await create(user.id, "Straße ＦＵＬＬ");
  for (const query of ["cafe", "CAFÉ IZ", "ızmir", "izmİr", "\u200b é i"]) {
    assert.deepEqual(await find(query), ["Café İzmir"], query);
  }
  assert.deepEqual(await find("STRASSE full"), ["Straße ＦＵＬＬ"]);
});

Deno.test("newestSeqs() gives each room's newest number, and nothing for a room that is not there", async () => {
  const user = await makeUser(test.db);
  const [quiet, busy] = [
    await makeRoom(test.db, user),
    await makeRoom(test.db, user),
  ];
  await storeMessages(test.db, [
    newMessage(busy, user.id),
    newMessage(busy, user.id),
  ], after(1));
  const seqs = await newestSeqs(test.db, [quiet, crypto.randomUUID(), busy]);
  assert.deepEqual(
    new Map(seqs.map(({ id, last_seq }) => [id, last_seq])),
    new Map([[quiet, 0], [busy, 2]]),
  );
  assert.deepEqual(await newestSeqs(test.db, []), []);
});
