/** Rule 7 of the protocol: typing marks. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { METRICS_TOKEN, untilClosed } from "../helpers/metrics.ts";
import { leaveRoom } from "../helpers/people.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  say,
  waitUntilIdle,
} from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

const time = createSkippingTime();
const app = useTestApp({ METRICS_TOKEN }, { start: time });

/** The marks a socket was told, newest last. */
const marks = (socket: TestClient) =>
  socket.all("typing:update").map(({ isTyping }) => isTyping);

/** A room where the first guest watches the second, who has just begun to type. */
async function typing() {
  const chat = await createRoomWithMembers(app, 2);
  const [watcher, typist] = chat.members;
  const { id: roomId } = chat.room;
  await typist.socket.expect("typing:update", { roomId, isTyping: true });
  await watcher.socket.waitFor("typing:update", ({ isTyping }) => isTyping);
  const ended = () =>
    watcher.socket.waitFor("typing:update", ({ isTyping }) => !isTyping);
  return { chat, roomId, watcher, typist, ended };
}

Deno.test("typing goes to the others only, not to the typist's tabs, not to other rooms", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  await using other = await createRoomWithMembers(app, 1);
  const [watcher, typist] = chat.members;
  const tab = await chat.subscribe(typist.person);
  const { id: roomId } = chat.room;
  await forgetPast(app, [watcher.socket, typist.socket, tab.socket]);
  await typist.socket.expect("typing:update", { roomId, isTyping: true });
  assert.deepEqual(await watcher.socket.waitFor("typing:update"), {
    roomId,
    user: typist.person.user,
    isTyping: true,
  });
  const others = [typist, tab, other.members[0]];
  await waitUntilIdle(app, others.map(({ socket }) => socket));
  for (const { socket } of others) {
    assert.deepEqual(marks(socket), []);
  }
});

Deno.test("a mark ends by itself after 5 s, later when it was refreshed", async () => {
  const { chat, roomId, watcher, typist, ended } = await typing();
  await using _ = chat;
  await time.skip(4_000);
  await typist.socket.expect("typing:update", { roomId, isTyping: true });
  await time.skip(3_000);
  await waitUntilIdle(app, [watcher.socket]);
  assert.ok(!marks(watcher.socket).includes(false));
  await time.skip(2_000);
  await ended();
});

Deno.test("a mark ends when the typist says so", async () => {
  const { chat, roomId, typist, ended } = await typing();
  await using _ = chat;
  await typist.socket.expect("typing:update", { roomId, isTyping: false });
  await ended();
});

Deno.test("a mark ends with a sent message, from whatever tab", async () => {
  const { chat, roomId, typist, ended } = await typing();
  await using _ = chat;
  await using tab = await connect(app, typist.person);
  await say(tab, roomId);
  await ended();
});

Deno.test("a mark ends when the socket closes", async () => {
  const { chat, typist, ended } = await typing();
  await using _ = chat;
  await typist.socket.close();
  await ended();
});

Deno.test("a mark ends when the typist leaves the room, by socket or over HTTP", async () => {
  for (const way of ["socket", "HTTP"]) {
    const { chat, roomId, typist, ended } = await typing();
    await using _ = chat;
    if (way === "HTTP") await leaveRoom(typist.person, roomId);
    else await typist.socket.expect("room:leave", { roomId });
    await ended();
  }
});

Deno.test("a mark of one tab outlives the closing of another", async () => {
  const { chat, watcher, typist } = await typing();
  await using _ = chat;
  const tab = await chat.subscribe(typist.person);
  await untilClosed(app, () => tab.socket.close());
  await waitUntilIdle(app, [watcher.socket]);
  assert.ok(!marks(watcher.socket).includes(false));
});

Deno.test("typing in a room the socket does not follow is refused and seen by nobody", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  await using stranger = await connect(app, await newPerson(app));
  const ack = await stranger.request("typing:update", {
    roomId,
    isTyping: true,
  });
  assert.ok(!ack.success && ack.code === "not_a_member");
  stranger.sendRaw(
    JSON.stringify({
      event: "typing:update",
      data: { roomId, isTyping: true },
    }),
  );
  assert.equal((await stranger.waitFor("error")).code, "not_a_member");
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(marks(socket), []);
});

Deno.test("fast typing makes at most a few marks a second", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [watcher, typist] = chat.members;
  const { id: roomId } = chat.room;
  for (let n = 0; n < 100; n++) {
    typist.socket.sendRaw(JSON.stringify({
      event: "typing:update",
      data: { roomId, isTyping: n % 2 === 0 },
    }));
  }
  await typist.socket.expect("typing:update", { roomId, isTyping: true });
  await waitUntilIdle(app, [watcher.socket]);
  const told = marks(watcher.socket);
  assert.ok(told.length <= 4, `${told.length} marks`);
  assert.equal(told.at(-1), true);
});
