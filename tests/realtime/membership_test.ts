/** Rule 5 of the protocol, and what a membership that ends does to the feed. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { joinRoom, leaveRoom } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  say,
  send,
  waitUntilIdle,
} from "../helpers/rooms.ts";

let lastMoment = 0;

/** No two moments are the same: lines of one user, type and moment count as one line. */
const clock = () => lastMoment = Math.max(lastMoment + 1, Date.now());

const app = useTestApp({
  RATE_LIMIT_MESSAGES: "1000",
  MAX_SOCKETS_PER_USER: "100",
}, { start: { clock } });

/** The lines a socket was told, in short. */
const lines = (socket: TestClient) =>
  socket.all("room:system").map(({ type, user }) =>
    `${type} ${user?.username}`
  );

Deno.test("room:join by a user's first socket is announced, by the second not; room:leave by the last is", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  const bob = await newPerson(app);
  await joinRoom(bob, roomId);
  const { username } = bob.user;
  await using one = await connect(app, bob);
  await using two = await connect(app, bob);
  await forgetPast(app, [socket]);

  await one.expect("room:join", { roomId });
  const { createdAt } = await socket.waitFor("room:system");
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 5_000);
  await two.expect("room:join", { roomId });
  await one.expect("room:join", { roomId });
  await one.expect("room:leave", { roomId });
  await one.expect("room:leave", { roomId });
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(lines(socket), [`join ${username}`]);
  await two.expect("room:leave", { roomId });
  await socket.waitFor("room:system", ({ type }) => type === "leave");
  assert.deepEqual(lines(socket), [`join ${username}`, `leave ${username}`]);
  assert.deepEqual(lines(one), [], "nobody is told of themself");
});

Deno.test("room:leave ends the live feed and keeps the membership", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, other] = chat.members;
  const { id: roomId } = chat.room;
  await socket.expect("room:leave", { roomId });
  await forgetPast(app, [socket]);
  await say(other.socket, roomId);
  await other.socket.waitFor("message:new");
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(socket.events, []);
  assert.equal((await say(socket, roomId)).seq, 2);
  await socket.expect("room:join", { roomId, lastSeq: 0 });
  assert.equal(socket.all("message:new").length, 2);
});

Deno.test("room:leave of a room that is not followed, unknown or impossible is no error", async () => {
  await using socket = await connect(app, await newPerson(app));
  for (const roomId of [crypto.randomUUID(), "no uuid", "__proto__"]) {
    assert.deepEqual(await socket.request("room:leave", { roomId }), {
      success: true,
    });
  }
});

Deno.test("a dropped connection changes the roster and announces nothing", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, other] = chat.members;
  await other.socket.close();
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 1);
  assert.deepEqual(lines(socket), []);
  await using again = await connect(app, other.person);
  await again.expect("rooms:sync", { rooms: [{ roomId: chat.room.id }] });
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 2);
  assert.deepEqual(lines(socket), []);
});

Deno.test("leaving over HTTP cuts all of the user's sockets out of that room at once, and of no other", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket: stays }, { person, socket }] = chat.members;
  const { id: roomId } = chat.room;
  const tab = await chat.subscribe(person);
  await using elsewhere = await createRoomWithMembers(app, 1);
  await joinRoom(person, elsewhere.room.id);
  await socket.expect("room:join", { roomId: elsewhere.room.id });
  await forgetPast(app, [stays, socket, tab.socket]);

  await leaveRoom(person, roomId);
  for (const own of [socket, tab.socket, stays]) {
    const line = await own.waitFor("room:system");
    assert.equal(line.type, "leave");
    assert.deepEqual(line.user, person.user);
  }
  await stays.waitFor("room:roster", ({ memberCount }) => memberCount === 1);
  await forgetPast(app, [stays, socket, tab.socket]);

  await say(stays, roomId);
  await stays.expect("typing:update", { roomId, isTyping: true });
  await stays.waitFor("message:new");
  await waitUntilIdle(app, [socket, tab.socket]);
  assert.deepEqual(socket.events, []);
  assert.deepEqual(tab.socket.events, []);

  const codes = [
    await send(socket, roomId),
    await socket.request("room:join", { roomId, lastSeq: 0 }),
    await socket.request("typing:update", { roomId, isTyping: true }),
    await socket.request("room:read", { roomId, lastSeq: 1 }),
  ].map((ack) => !ack.success && ack.code);
  assert.deepEqual(codes, codes.map(() => "not_a_member"));
  await say(elsewhere.members[0].socket, elsewhere.room.id);
  await socket.waitFor("message:new");
  assert.deepEqual(lines(stays), [], "what was refused was not announced");
});

Deno.test("who joins again over HTTP can follow again", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket: stays }, { person, socket }] = chat.members;
  const { id: roomId } = chat.room;
  await leaveRoom(person, roomId);
  await say(stays, roomId);
  await joinRoom(person, roomId);
  await socket.expect("room:join", { roomId, lastSeq: 0 });
  await say(stays, roomId);
  await socket.waitFor("message:new", ({ seq }) => seq === 2);
  assert.deepEqual(socket.all("message:new").map(({ seq }) => seq), [1, 2]);
});

Deno.test("messages sent while somebody leaves are stored or refused, never stored and refused", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket: stays, person: host }, { person, socket }] = chat.members;
  const { id: roomId } = chat.room;
  const acks = numbers(1, 50).map(() => send(socket, roomId));
  await leaveRoom(person, roomId);
  const stored = (await Promise.all(acks)).filter(({ success }) => success);
  const { messages } = await host.getJson<{ messages: unknown[] }>(
    `/api/rooms/${roomId}/messages?limit=100`,
  );
  assert.equal(messages.length, stored.length);
  await say(stays, roomId);
  await stays.waitFor("message:new", ({ seq }) => seq === stored.length + 1);
});

Deno.test("in a room that more than 200 sockets follow nobody is announced", async () => {
  await using chat = await createRoomWithMembers(app, 3);
  const [{ socket }, two, three] = chat.members;
  const { id: roomId } = chat.room;
  const crowd: TestClient[] = [];
  for (const n of numbers(1, 197)) {
    const { person } = n % 2 === 0 ? two : three!;
    const each = await connect(app, person);
    await each.expect("room:join", { roomId });
    crowd.push(each);
  }
  const late = await newPerson(app);
  await joinRoom(late, roomId);
  await using socketOfLate = await connect(app, late);
  await forgetPast(app, [socket]);
  // The late one is the 200th socket now, which is still announced.
  await crowd.pop()!.close();
  await socketOfLate.expect("room:join", { roomId });
  await socket.waitFor("room:system", ({ type }) => type === "join");
  await socketOfLate.expect("room:leave", { roomId });
  await socket.waitFor("room:system", ({ type }) => type === "leave");
  const extra = await connect(app, two.person);
  await extra.expect("room:join", { roomId });
  await forgetPast(app, [socket]);
  // And now the 201st.
  await socketOfLate.expect("room:join", { roomId });
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(lines(socket), []);
  await Promise.all([...crowd, extra].map((each) => each.close()));
});

Deno.test("of a user who comes and goes again and again, over a socket or over REST, a room is told four times a minute", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  for (const way of ["a socket", "REST"]) {
    const restless = await newPerson(app);
    await joinRoom(restless, roomId);
    await using own = await connect(app, restless);
    await forgetPast(app, [socket]);
    for (let n = 0; n < 15; n++) {
      await own.expect("room:join", { roomId });
      if (way === "a socket") await own.expect("room:leave", { roomId });
      else {
        await leaveRoom(restless, roomId);
        await joinRoom(restless, roomId);
      }
    }
    // What was told is there before the answer to what is asked now.
    await socket.expect("presence:ping", {});
    const { username } = restless.user;
    const told = ["join", "leave", "join", "leave"];
    assert.deepEqual(lines(socket), told.map((type) => `${type} ${username}`));
  }
});
