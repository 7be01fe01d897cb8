/** Rule 3 of the protocol: five messages in ten seconds per user and room, then a mute. */

import assert from "node:assert/strict";
import type { AckData } from "../../realtime/protocol/protocol.ts";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  say,
  send,
  waitUntilIdle,
} from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

const time = createSkippingTime();
const app = useTestApp({}, { start: time });

const codeOf = (ack: AckData<"message:send">) =>
  ack.success ? "stored" : ack.code;

Deno.test("the sixth message in 10 s mutes for 30 s: only the user's own sockets are told", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const tab = await chat.subscribe(person);
  await using elsewhere = await connect(app, person);
  for (const _ of numbers(1, 5)) await say(socket, chat.room.id);
  await forgetPast(app, [socket, other.socket, tab.socket, elsewhere]);

  const before = time.clock();
  const ack = await send(socket, chat.room.id);
  const after = time.clock();
  assert.ok(!ack.success && ack.code === "muted" && ack.error.length > 0);
  const until = Date.parse(ack.mutedUntil!);
  assert.ok(until >= before + 30_000 && until <= after + 30_000);
  for (const own of [socket, tab.socket, elsewhere]) {
    const line = await own.waitFor("room:system");
    assert.ok(line.type === "muted");
    assert.equal(line.until, ack.mutedUntil);
    assert.equal(line.roomId, chat.room.id);
    assert.deepEqual(line.user, person.user);
  }

  const again = await send(tab.socket, chat.room.id);
  assert.ok(!again.success);
  assert.equal(again.mutedUntil, ack.mutedUntil, "trying makes it no longer");
  await waitUntilIdle(app, [socket, other.socket]);
  assert.deepEqual(other.socket.events, [], "the others hear nothing of it");
  assert.equal(socket.all("room:system").length, 1, "told once");

  await time.skip(29_000);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
  await time.skip(1_100);
  for (const _ of numbers(1, 5)) await say(socket, chat.room.id);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
});

Deno.test("the limit is over all of the user's sockets, also at the same moment", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const tab = await chat.subscribe(person);
  const acks = await Promise.all(
    numbers(1, 20).map((n) =>
      send(n % 2 === 0 ? socket : tab.socket, chat.room.id)
    ),
  );
  assert.equal(acks.filter((ack) => ack.success).length, 5);
  assert.ok(
    acks.every((ack) => ack.success || ack.code === "muted"),
  );
  await waitUntilIdle(app, [socket, tab.socket, other.socket]);
  assert.equal(other.socket.all("message:new").length, 5);
  assert.equal(socket.all("room:system").length, 1);
  assert.equal(tab.socket.all("room:system").length, 1);
});

Deno.test("a mute leaves the user's other rooms and the room's other users alone", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const elsewhere = await createRoom(person);
  for (const _ of numbers(1, 6)) await send(socket, chat.room.id);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
  for (const _ of numbers(1, 5)) await say(socket, elsewhere.id);
  for (const _ of numbers(1, 5)) await say(other.socket, chat.room.id);
});

Deno.test("the window slides: the sixth message is free when the first is 10 s old", async () => {
  await using chat = await createRoomWithMembers(app);
  const [{ socket }] = chat.members;
  await say(socket, chat.room.id);
  await time.skip(5_000);
  for (const _ of numbers(1, 4)) await say(socket, chat.room.id);
  await time.skip(5_000);
  await say(socket, chat.room.id);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
});

Deno.test("what is refused or a duplicate does not count", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }] = chat.members;
  const clientMsgId = crypto.randomUUID();
  await send(socket, chat.room.id, { clientMsgId });
  for (const _ of numbers(1, 10)) {
    const empty = await send(socket, chat.room.id, { text: "  " });
    assert.equal(codeOf(empty), "bad_request");
    const long = await send(socket, chat.room.id, { text: "x".repeat(501) });
    assert.equal(codeOf(long), "bad_request");
    const again = await send(socket, chat.room.id, { clientMsgId });
    assert.ok(again.success && again.isDuplicate);
  }
  for (const _ of numbers(1, 4)) await say(socket, chat.room.id);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
  const again = await send(socket, chat.room.id, { clientMsgId });
  assert.ok(again.success && again.isDuplicate, "a duplicate is never muted");
});

Deno.test("a stranger's refused messages neither count nor mute", async () => {
  await using chat = await createRoomWithMembers(app);
  const person = await newPerson(app);
  await using socket = await connect(app, person);
  for (const _ of numbers(1, 12)) {
    assert.equal(codeOf(await send(socket, chat.room.id)), "not_a_member");
  }
  await joinRoom(person, chat.room.id);
  for (const _ of numbers(1, 5)) await say(socket, chat.room.id);
  assert.equal(codeOf(await send(socket, chat.room.id)), "muted");
});
