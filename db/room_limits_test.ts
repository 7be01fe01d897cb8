import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  makeRoom,
  makeUser,
  NO_LIMITS,
} from "../tests/helpers/records.ts";
import { addMember, removeMember } from "./memberships.ts";
import type { RoomLimits } from "./room_limits.ts";
import { createRoom } from "./rooms.ts";

const test = useTestDatabase();

const HOUR_MS = 3_600_000;

function create(
  createdBy: string,
  limits: Partial<RoomLimits>,
  { name = `Room ${crypto.randomUUID().slice(0, 8)}`, now = after(0) } = {},
) {
  const room = { id: crypto.randomUUID(), name, createdBy, now };
  return createRoom(test.db, room, { ...NO_LIMITS, ...limits });
}

Deno.test("a user makes so many rooms within an hour, and the next one when the first is an hour old", async () => {
  const { id } = await makeUser(test.db);
  const make = (ms: number) =>
    create(id, { roomsPerHour: 2 }, { now: after(ms) });
  assert.equal(await make(0), "created");
  assert.equal(await make(60_000), "created");
  assert.deepEqual(await make(120_000), { retryAfterMs: HOUR_MS - 120_000 });
  assert.deepEqual(await make(HOUR_MS - 1), { retryAfterMs: 1 });
  assert.equal(await make(HOUR_MS), "created");
  assert.deepEqual(await make(HOUR_MS + 1), { retryAfterMs: 59_999 });
});

Deno.test("a user makes so many rooms at all, whoever is in them", async () => {
  const { id } = await makeUser(test.db);
  const limits = { maxRoomsPerUser: 1, roomsPerHour: 1 };
  assert.equal(await create(id, limits), "created");
  assert.equal(await create(id, limits), "too_many_rooms");
});

Deno.test("a user is in so many rooms, made or joined, and has a place again after leaving one", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const limits = { maxMembershipsPerUser: 2 };
  const own = await makeRoom(test.db, user);
  const rooms = [
    await makeRoom(test.db, other),
    await makeRoom(test.db, other),
  ] as const;
  const join = (roomId: string) =>
    addMember(
      test.db,
      { roomId, userId: user.id, now: after(0) },
      limits,
    );
  assert.equal(await join(rooms[0]), "joined");
  assert.equal(await join(rooms[1]), "too_many_rooms");
  assert.equal(await join(rooms[0]), "already");
  assert.equal(await join(crypto.randomUUID()), "no_room");
  assert.equal(await create(user.id, limits), "too_many_rooms");
  await removeMember(test.db, own, user.id);
  assert.equal(await join(rooms[1]), "joined");
});

Deno.test("rooms that are made and joined at the same moment do not pass the limits together", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const limits = { maxRoomsPerUser: 3, maxMembershipsPerUser: 5 };
  const made = await Promise.all(
    Array.from({ length: 8 }, () => create(user.id, limits)),
  );
  assert.equal(made.filter((outcome) => outcome === "created").length, 3);
  const rooms: string[] = [];
  for (let n = 0; n < 8; n++) rooms.push(await makeRoom(test.db, other));
  const joined = await Promise.all(
    rooms.map((roomId) =>
      addMember(
        test.db,
        { roomId, userId: user.id, now: after(0) },
        limits,
      )
    ),
  );
  assert.equal(joined.filter((outcome) => outcome === "joined").length, 2);
});

Deno.test("a refused room takes no name", async () => {
  const [user, other] = [await makeUser(test.db), await makeUser(test.db)];
  const name = "Not yet taken";
  const refused = await create(user.id, { maxRoomsPerUser: 0 }, { name });
  assert.equal(refused, "too_many_rooms");
  assert.equal(await create(other.id, {}, { name }), "created");
});
