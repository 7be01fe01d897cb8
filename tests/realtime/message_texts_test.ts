/** Rule 2 of the protocol: which texts are messages, and whose they are. */

import assert from "node:assert/strict";
import { UNLIMITED, useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { history } from "../helpers/history.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  send,
} from "../helpers/rooms.ts";

const app = useTestApp(UNLIMITED);

const received = (socket: TestClient) => socket.all("message:new");

Deno.test("texts arrive as they were typed, whatever they say", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  const texts = [
    ...["😀".repeat(500), "e\u0301".repeat(250), "<script>alert(1)</script>"],
    ...["a\u2028b\u2029c", '"quoted" \\ back\\\\slash', "line\nbreak\ttab"],
    ...[
      "' OR 1=1; --",
      "\u202eright to left",
      "👩‍👩‍👧‍👦",
      "%s %d {} $1",
      "a\u0001\u001f",
    ],
    ...["null", "0", "[[[[[[[[[[[[[[[[[[[[[[[[[[", "__proto__", "\uffff\ufffe"],
  ];
  for (const text of texts) await say(socket, chat.room.id, text);
  await other.socket.waitFor("message:new", ({ seq }) => seq === texts.length);
  assert.deepEqual(received(other.socket).map(({ text }) => text), texts);
  assert.deepEqual(
    (await history(person, chat.room.id)).map(({ text }) => text),
    texts,
  );
});

Deno.test("texts that are empty, too long, ill-formed or carry a NUL are refused with a reason", async () => {
  await using chat = await createRoomWithMembers(app);
  const [{ person, socket }] = chat.members;
  const refused: [string, RegExp][] = [
    ["", /empty/],
    [" \n\t ", /empty/],
    ["\u200b\u3164", /empty/],
    ["x".repeat(501), /500/],
    ["😀".repeat(501), /500/],
    ["a\0b", /NUL/],
    ["\ud800", /Unicode/],
    ["a\udfffb", /Unicode/],
  ];
  for (const [text, reason] of refused) {
    const ack = await send(socket, chat.room.id, { text });
    assert.ok(!ack.success);
    assert.equal(ack.code, "bad_request");
    assert.match(ack.error, reason);
  }
  assert.deepEqual(await history(person, chat.room.id), []);
  assert.equal((await say(socket, chat.room.id)).seq, 1);
});

Deno.test("who is no member cannot send, and learns no more than that the room is not theirs", async () => {
  await using chat = await createRoomWithMembers(app);
  const stranger = await newPerson(app);
  await using socket = await connect(app, stranger);
  const codes: Record<string, string> = {
    [chat.room.id]: "not_a_member",
    [crypto.randomUUID()]: "room_not_found",
    "no uuid": "room_not_found",
    "'; drop table messages; --": "room_not_found",
  };
  for (const [roomId, code] of Object.entries(codes)) {
    const ack = await send(socket, roomId);
    assert.ok(!ack.success);
    assert.equal(ack.code, code);
  }
  assert.deepEqual(await history(chat.members[0].person, chat.room.id), []);
});

Deno.test("the author is the session's user, and the server numbers and dates, whatever the client adds", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person, socket }, other] = chat.members;
  socket.sendRaw(JSON.stringify({
    event: "message:send",
    data: {
      roomId: chat.room.id.toUpperCase(),
      text: "hello",
      clientMsgId: crypto.randomUUID(),
      userId: other.person.user.id,
      sender: other.person.user,
      seq: 99,
      createdAt: "2001-01-01T00:00:00.000Z",
      messageId: crypto.randomUUID(),
    },
  }));
  const message = await other.socket.waitFor("message:new");
  assert.deepEqual(message.sender, person.user);
  assert.equal(message.seq, 1);
  assert.notEqual(message.createdAt.slice(0, 4), "2001");
});

Deno.test("a member who does not follow the room can send to it", async () => {
  await using chat = await createRoomWithMembers(app);
  const [{ person, socket: listener }] = chat.members;
  await using socket = await connect(app, person);
  await say(socket, chat.room.id);
  await listener.waitFor("message:new");
  assert.deepEqual(received(socket), []);
});
