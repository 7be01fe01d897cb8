/** Joining and leaving rooms, their members, and how far each has read, over HTTP. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import {
  createRoom,
  expectJson,
  joinRoom,
  leaveRoom,
  type Room,
} from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { allPages, post, stranger } from "./room_calls.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

Deno.test("joining makes a member, and again is 200", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  const joined = await joinRoom(bob, room.id);
  assert.equal(joined.isMember, true);
  assert.equal(joined.memberCount, 2);
  assert.match(joined.joinedAt ?? "", ISO);
  assert.deepEqual(await joinRoom(bob, room.id), joined);
  assert.deepEqual(await joinRoom(bob, room.id.toUpperCase()), joined);
});

Deno.test("leaving ends the membership; again is 403", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  await leaveRoom(bob, room.id);
  assert.deepEqual(await bob.getJson("/api/rooms"), []);
  assert.equal(
    (await bob.getJson<Room>(`/api/rooms/${room.id}`)).isMember,
    false,
  );
  await expectProblem(
    await post(bob, `/api/rooms/${room.id}/leave`),
    "not_a_member",
  );
});

Deno.test("leaving stops the user's live feed of the room at once", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  await using sender = await connect(app, alice);
  await using listener = await connect(app, bob);
  await listener.expect("rooms:sync", { rooms: [{ roomId: room.id }] });
  await leaveRoom(bob, room.id);
  listener.forget();
  await sender.expect("message:send", {
    roomId: room.id,
    text: "without bob",
    clientMsgId: crypto.randomUUID(),
  });
  await listener.expect("presence:ping", {});
  assert.deepEqual(listener.all("message:new"), []);
});

Deno.test("members are listed by name with their status", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  const joined = await joinRoom(bob, room.id);
  await using client = await connect(app, alice);
  await client.expect("presence:ping", {});
  assert.deepEqual(await bob.getJson(`/api/rooms/${room.id}/members`), [
    { ...alice.user, joinedAt: room.createdAt, status: "online" },
    { ...bob.user, joinedAt: joined.joinedAt, status: "offline" },
  ]);
});

Deno.test("the Link header pages through the members by name, each once", async () => {
  const alice = await stranger(app);
  const room = await createRoom(alice);
  const people = [alice];
  for (let n = 0; n < 4; n++) {
    people.push(await stranger(app));
    await joinRoom(people.at(-1)!, room.id);
  }
  const path = `/api/rooms/${room.id}/members?limit=2`;
  const pages = await allPages<{ username: string }>(alice, path);
  assert.deepEqual(pages.map((page) => page.length), [2, 2, 1]);
  assert.deepEqual(
    pages.flat().map(({ username }) => username),
    people.map(({ user }) => user.username).sort(),
  );
  const whole = await alice.fetch(`/api/rooms/${room.id}/members?limit=5`);
  assert.equal(whole.headers.get("link"), null);
  assert.equal((await expectJson<unknown[]>(whole, 200)).length, 5);
});

Deno.test("a page of members that begins after somebody who has left goes on behind their name", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  const path = `/api/rooms/${room.id}/members?after=${alice.user.username}`;
  await leaveRoom(alice, room.id);
  const names = (await bob.getJson<{ username: string }[]>(path))
    .map(({ username }) => username);
  assert.deepEqual(names, [bob.user.username]);
});

Deno.test("a bad query for members is 400", async () => {
  const alice = await stranger(app);
  const room = await createRoom(alice);
  for (
    const query of ["limit=0", "limit=201", "limit=x", "after=%00"]
  ) {
    const path = `/api/rooms/${room.id}/members?${query}`;
    await expectProblem(await alice.fetch(path), "validation_failed");
  }
});

Deno.test("reading counts down what is unread, and never back up", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  await using sender = await connect(app, alice);
  for (let i = 0; i < 5; i++) {
    await sender.expect("message:send", {
      roomId: room.id,
      text: `message ${i}`,
      clientMsgId: crypto.randomUUID(),
    });
  }
  const unread = async () =>
    (await bob.getJson<Room[]>("/api/rooms"))[0]?.unreadCount;
  const read = async (lastSeq: number) => {
    const answer = await bob.fetch(`/api/rooms/${room.id}/read`, {
      method: "POST",
      json: { lastSeq },
    });
    assert.equal(answer.status, 204, await answer.text());
  };
  assert.equal(await unread(), 5);
  await read(3);
  assert.equal(await unread(), 2);
  await read(1);
  assert.equal(await unread(), 2);
  await read(1_000_000);
  assert.equal(await unread(), 0);
});

Deno.test("what was written before a user joined is not unread", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  await using sender = await connect(app, alice);
  await sender.expect("message:send", {
    roomId: room.id,
    text: "early",
    clientMsgId: crypto.randomUUID(),
  });
  assert.equal((await joinRoom(bob, room.id)).unreadCount, 0);
});

Deno.test("a bad reading position is 400", async () => {
  const alice = await stranger(app);
  const { id } = await createRoom(alice);
  for (const lastSeq of [-1, 1.5, "1", null, undefined, 1e300]) {
    await expectProblem(
      await alice.fetch(`/api/rooms/${id}/read`, {
        method: "POST",
        json: { lastSeq },
      }),
      "validation_failed",
    );
  }
});
