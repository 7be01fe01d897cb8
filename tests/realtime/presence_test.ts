/** Rule 6 of the protocol: who is online, and the rosters that say so. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { METRICS_TOKEN, untilClosed } from "../helpers/metrics.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  waitUntilIdle,
} from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

const time = createSkippingTime();
const app = useTestApp({ METRICS_TOKEN }, { start: time });

/** A person's status as the members' list says over HTTP. */
async function statusOf(reader: Person, roomId: string, person: Person) {
  const members = await reader.getJson<{ id: string; status: string }[]>(
    `/api/rooms/${roomId}/members`,
  );
  return members.find(({ id }) => id === person.user.id)?.status;
}

Deno.test("two tabs are one person: closing one changes nothing, closing the last is offline at once", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person: alice, socket }, bob] = chat.members;
  const tab = await chat.subscribe(bob.person);
  await forgetPast(app, [socket]);

  await untilClosed(app, () => bob.socket.close());
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(socket.all("room:roster"), []);
  assert.equal(await statusOf(alice, chat.room.id, bob.person), "online");

  // "At once": no time has to be skipped for it.
  await tab.socket.close();
  const roster = await socket.waitFor("room:roster");
  assert.deepEqual(roster.users, [
    { ...alice.user, status: "online" },
    { ...bob.person.user, status: "offline" },
  ]);
  assert.deepEqual([roster.onlineCount, roster.memberCount], [1, 2]);
  assert.equal(await statusOf(alice, chat.room.id, bob.person), "offline");
});

Deno.test("a socket that lives is online without a frame; a stream that posts none for 30 s is not, and any frame brings it back", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, bob] = chat.members;
  const carol = await newPerson(app);
  await joinRoom(carol, chat.room.id);
  const ended = new AbortController();
  const stream = await carol.fetch("/api/events", { signal: ended.signal });
  const first = await stream.body!.getReader().read();
  const { connectionId } =
    JSON.parse(new TextDecoder().decode(first.value).slice("data: ".length))
      .data;
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 3);
  await forgetPast(app, [socket]);

  await time.skip(29_000);
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(
    socket.all("room:roster"),
    [],
    "29 s of silence are nothing",
  );
  await time.skip(2_000);
  const roster = await socket.waitFor("room:roster");
  assert.deepEqual(
    roster.users.filter(({ status }) => status === "offline")
      .map(({ id }) => id),
    [carol.user.id],
    "the sockets are silent, too",
  );
  await carol.fetch(`/api/events?connection=${connectionId}`, {
    method: "POST",
    json: { event: "presence:ping", data: {} },
  });
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 3);
  ended.abort();
  await bob.socket.expect("presence:ping", {});
});

Deno.test("a user is online in all their rooms, in those of others they are not named", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  await using other = await createRoomWithMembers(app, 1);
  const bob = await newPerson(app);
  await joinRoom(bob, chat.room.id);
  await forgetPast(app, [chat.members[0].socket, other.members[0].socket]);
  await using _ = await connect(app, bob);
  const roster = await chat.members[0].socket.waitFor(
    "room:roster",
    ({ onlineCount }) => onlineCount === 2,
  );
  assert.equal(roster.roomId, chat.room.id);
  await waitUntilIdle(app, [other.members[0].socket]);
  assert.deepEqual(other.members[0].socket.events, []);
});

Deno.test("members who come and go over HTTP are in the next roster, followed or not", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const bob = await newPerson(app);
  await joinRoom(bob, chat.room.id);
  const roster = await socket.waitFor(
    "room:roster",
    ({ memberCount }) => memberCount === 2,
  );
  assert.equal(roster.onlineCount, 1);
  assert.equal(roster.users.at(-1)?.status, "offline");
  const answer = await bob.fetch(`/api/rooms/${chat.room.id}/leave`, {
    method: "POST",
  });
  assert.equal(answer.status, 204);
  await socket.waitFor(
    "room:roster",
    ({ memberCount }) => memberCount === 1,
  );
});

Deno.test("somebody named __proto__ is somebody", async () => {
  const person = await signIn(app, "__proto__");
  const room = await createRoom(person);
  await using socket = await connect(app, person);
  await socket.expect("room:join", { roomId: room.id });
  const roster = await socket.waitFor("room:roster");
  assert.deepEqual(roster.users, [{ ...person.user, status: "online" }]);
});

Deno.test("presence that flaps makes at most four rosters a second, and the last one is right", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, { person }] = chat.members;
  await untilClosed(app, () => chat.members[1].socket.close());
  await forgetPast(app, [socket]);
  const started = performance.now();
  for (const _ of numbers(1, 15)) {
    const flapping = await connect(app, person);
    await flapping.close();
  }
  await waitUntilIdle(app, [socket]);
  const seconds = (performance.now() - started) / 1_000;
  const rosters = socket.all("room:roster");
  assert.ok(
    rosters.length <= 4 * seconds + 1,
    `${rosters.length} rosters in ${seconds} s`,
  );
  assert.equal(rosters.at(-1)?.onlineCount ?? 1, 1);
});

Deno.test("the counts of a room of 210 are exact, and 200 are named, the online ones first", async () => {
  await using chat = await createRoomWithMembers(app, 3);
  const [{ socket }] = chat.members;
  for (let made = 0; made < 207; made += 23) {
    await Promise.all(
      numbers(1, 23).map(async () => {
        await joinRoom(await newPerson(app), chat.room.id);
      }),
    );
  }
  const roster = await socket.waitFor(
    "room:roster",
    ({ memberCount }) => memberCount === 210,
  );
  assert.equal(roster.onlineCount, 3);
  assert.equal(roster.users.length, 200);
  assert.deepEqual(
    roster.users.slice(0, 4).map(({ status }) => status),
    ["online", "online", "online", "offline"],
  );
});
