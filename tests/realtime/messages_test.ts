/** Rules 1 and 2 of the protocol: numbers, order, acks, duplicates. */

import assert from "node:assert/strict";
import { systemSteadyClock } from "../../realtime/timers.ts";
import { startTestApp, UNLIMITED, useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { history } from "../helpers/history.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  say,
  send,
  waitUntilIdle,
} from "../helpers/rooms.ts";

const app = useTestApp(UNLIMITED);

const received = (socket: TestClient) => socket.all("message:new");

Deno.test("a sent message reaches every socket that follows the room, the sender's tabs too", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const tab = await chat.subscribe(person);
  await using stranger = await connect(app, await newPerson(app));
  const clientMsgId = crypto.randomUUID();
  const ack = await send(socket, chat.room.id, { text: " hi ", clientMsgId });
  assert.ok(ack.success);
  assert.deepEqual(Object.keys(ack).sort(), [
    ...["createdAt", "messageId", "seq", "success"],
  ]);
  for (const each of [socket, tab.socket, other.socket]) {
    assert.deepEqual(await each.waitFor("message:new"), {
      messageId: ack.messageId,
      roomId: chat.room.id,
      seq: 1,
      text: "hi",
      createdAt: ack.createdAt,
      clientMsgId,
      sender: person.user,
    });
  }
  await waitUntilIdle(app, [socket, stranger]);
  assert.equal(received(socket).length, 1);
  assert.deepEqual(stranger.events, []);
});

Deno.test("the ack comes after the commit: what is acked is in the history", async () => {
  await using chat = await createRoomWithMembers(app);
  const [{ person, socket }] = chat.members;
  for (const seq of numbers(1, 10)) {
    const ack = await say(socket, chat.room.id);
    assert.equal(ack.seq, seq);
    const stored = (await history(person, chat.room.id)).at(-1)!;
    assert.equal(stored.messageId, ack.messageId);
    assert.equal(stored.createdAt, ack.createdAt);
  }
});

Deno.test("200 sockets at once: seq has no gap and no repeat, and everyone sees the same order", async () => {
  await using chat = await createRoomWithMembers(app, 10);
  const sockets = chat.members.map(({ socket }) => socket);
  const extra: TestClient[] = [];
  for (const { person } of chat.members) {
    for (const _ of numbers(1, 19)) extra.push(await connect(app, person));
  }
  const senders = [...sockets, ...extra];
  assert.equal(senders.length, 200);
  const acks = await Promise.all(
    senders.map((socket) => say(socket, chat.room.id)),
  );
  assert.deepEqual(
    acks.map(({ seq }) => seq).sort((a, b) => a - b),
    numbers(1, 200),
  );
  const stored = await history(chat.members[0].person, chat.room.id);
  for (const socket of sockets) {
    await socket.waitFor("message:new", ({ seq }) => seq === 200);
    assert.deepEqual(received(socket), stored);
  }
  for (const [index, { createdAt }] of stored.entries()) {
    assert.ok(index === 0 || createdAt >= stored[index - 1]!.createdAt);
  }
  await Promise.all(extra.map((socket) => socket.close()));
});

Deno.test("many rooms at once: each has its own numbers from 1 on", async () => {
  const person = await newPerson(app);
  const rooms = await Promise.all(
    numbers(1, 10).map(() => createRoom(person)),
  );
  await using socket = await connect(app, person);
  const acks = await Promise.all(
    numbers(1, 200).map((n) => say(socket, rooms[n % 10]!.id)),
  );
  for (const index of numbers(0, 9)) {
    const seqs = acks.filter((_, n) => (n + 1) % 10 === index)
      .map(({ seq }) => seq);
    assert.deepEqual(seqs, numbers(1, 20), "in the order they were sent");
  }
});

Deno.test("createdAt never decreases, also when the server's clock goes backwards", async () => {
  let step = 0;
  await using app = await startTestApp(UNLIMITED, {
    start: { clock: () => Date.now() + step, steadyClock: systemSteadyClock },
  });
  await using chat = await createRoomWithMembers(app);
  const [{ person, socket }] = chat.members;
  const before = await say(socket, chat.room.id);
  step = -3_600_000;
  const after = await say(socket, chat.room.id);
  assert.equal(after.createdAt, before.createdAt);
  await socket.waitFor("message:new", ({ seq }) => seq === after.seq);
  step = 3_600_000;
  await say(socket, chat.room.id);
  const times = (await history(person, chat.room.id)).map((m) => m.createdAt);
  assert.deepEqual(times, [...times].sort());
  assert.ok(times[2]! > times[1]!);
});

Deno.test("100 parallel sends with one clientMsgId are one message, acked 100 times with its number", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const tabs = [socket];
  for (const _ of numbers(1, 3)) {
    tabs.push((await chat.subscribe(person)).socket);
  }
  const clientMsgId = crypto.randomUUID();
  const acks = await Promise.all(
    numbers(0, 99).map((n) =>
      send(tabs[n % 4]!, chat.room.id, { text: `try ${n}`, clientMsgId })
    ),
  );
  const firsts = acks.filter((ack) => ack.success && !ack.isDuplicate);
  assert.equal(firsts.length, 1);
  for (const ack of acks) {
    assert.ok(ack.success);
    assert.equal(ack.seq, 1);
    assert.deepEqual({ ...ack, isDuplicate: 0 }, {
      ...firsts[0],
      isDuplicate: 0,
    });
  }
  await waitUntilIdle(app, [other.socket]);
  assert.equal(received(other.socket).length, 1);
  assert.equal((await history(person, chat.room.id)).length, 1);
  assert.equal((await say(socket, chat.room.id)).seq, 2, "no number is lost");
});

Deno.test("a message sent again broadcasts nothing, whatever its text and letter case of the id", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, other] = chat.members;
  const clientMsgId = crypto.randomUUID();
  const first = await send(socket, chat.room.id, { clientMsgId });
  await forgetPast(app, [socket, other.socket]);
  for (const id of [clientMsgId, clientMsgId.toUpperCase()]) {
    const again = await send(socket, chat.room.id, {
      text: "another text",
      clientMsgId: id,
    });
    assert.deepEqual(again, { ...first, isDuplicate: true });
  }
  await waitUntilIdle(app, [socket, other.socket]);
  assert.deepEqual(received(socket), []);
  assert.deepEqual(received(other.socket), []);
});

Deno.test("one clientMsgId of two users, or in two rooms, is two messages", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [one, two] = chat.members;
  const elsewhere = await createRoom(one.person);
  const clientMsgId = crypto.randomUUID();
  const acks = [
    await send(one.socket, chat.room.id, { clientMsgId }),
    await send(two.socket, chat.room.id, { clientMsgId }),
    await send(one.socket, elsewhere.id, { clientMsgId }),
  ];
  assert.deepEqual(
    acks.map((ack) => ack.success && [ack.seq, ack.isDuplicate]),
    [[1, undefined], [2, undefined], [1, undefined]],
  );
});

Deno.test("a message sent again after a restart is acked as the first, broadcasts nothing and does not count", async () => {
  await using place = await makeMigratedPlace();
  const env = { JWT_SECRET: "0123456789abcdef0123456789abcdef" };
  const clientMsgIds = numbers(1, 5).map(() => crypto.randomUUID());
  const meet = async (app: { origin: string }) => {
    const [alice, bob] = [await signIn(app, "alice"), await signIn(app, "bob")];
    return {
      alice,
      bob,
      hers: await connect(app, alice),
      his: await connect(app, bob),
    };
  };

  const first = await startTestApp(env, { place });
  const before = await meet(first);
  const { id: roomId } = await createRoom(before.alice);
  const acks = [];
  for (const clientMsgId of clientMsgIds) {
    acks.push(await send(before.hers, roomId, { clientMsgId }));
  }
  await first.stop();

  await using second = await startTestApp(env, { place });
  const after = await meet(second);
  await using hers = after.hers;
  await using his = after.his;
  await joinRoom(after.bob, roomId);
  await his.expect("room:join", { roomId });
  for (const [index, clientMsgId] of clientMsgIds.entries()) {
    assert.deepEqual(
      await send(hers, roomId, { clientMsgId }),
      { ...acks[index], isDuplicate: true },
    );
  }
  assert.deepEqual(received(his), []);
  for (const seq of numbers(6, 10)) {
    assert.equal((await say(hers, roomId)).seq, seq, "all five are left");
  }
  const { code } = await send(hers, roomId) as { code?: string };
  assert.equal(code, "muted", "the premise: the limit holds");
});
