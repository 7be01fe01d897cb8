/** Editing, deleting, reacting to and pinning messages over the realtime connection. */

import assert from "node:assert/strict";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { systemSteadyClock } from "../../realtime/timers.ts";
import {
  startTestApp,
  type TestApp,
  UNLIMITED,
  useTestApp,
} from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";

const app = useTestApp(UNLIMITED);
let rooms = 0;

/** A room of Ada's with Bob in it, and a message of each. */
async function gather(at: TestApp = app) {
  const name = `c${rooms++}`;
  const ada = await signIn(at, `ada_${name}`);
  const bob = await signIn(at, `bob_${name}`);
  const { id: roomId } = await createRoom(ada);
  await joinRoom(bob, roomId);
  const [adas, bobs] = [await connect(at, ada), await connect(at, bob)];
  for (const client of [adas, bobs]) {
    await client.expect("room:join", { roomId });
  }
  const send = async (client: TestClient, text: string, replyTo?: string) =>
    (await client.expect("message:send", {
      ...{ roomId, text, clientMsgId: crypto.randomUUID() },
      ...(replyTo === undefined ? {} : { replyTo }),
    })).messageId;
  const read = (messageId: string, person = ada) =>
    person.getJson<Message>(`/api/rooms/${roomId}/messages/${messageId}`);
  return {
    ...{ ada, bob, adas, bobs, roomId, send, read },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([adas.close(), bobs.close()]);
    },
  };
}

/** The refusal's code; empty when it was accepted. */
const codeOf = (ack: { success: boolean; code?: string }) => ack.code ?? "";

Deno.test("an edit is acked with its rev and reaches everyone with the present state", async () => {
  await using room = await gather();
  const { roomId, adas, bobs, bob } = room;
  const messageId = await room.send(adas, "helo");
  const ack = await adas.expect("message:edit", {
    ...{ roomId, messageId, text: " hello " },
  });
  assert.equal(ack.rev, 1);
  const { messages, ...changes } = await bobs.waitFor("room:changes");
  assert.deepEqual(changes, { roomId, prevRev: 0, rev: 1 });
  const state = await room.read(messageId, bob);
  assert.deepEqual(messages, [state]);
  assert.equal(state.text, "hello");
  assert.deepEqual([state.rev, state.editedAt], [1, ack.editedAt]);

  const again = await adas.expect("message:edit", {
    ...{ roomId, messageId, text: "hello" },
  });
  assert.deepEqual([again.rev, again.editedAt], [1, ack.editedAt]);
  const { edits } = await room.ada.getJson<{ edits: { text: string }[] }>(
    `/api/rooms/${roomId}/messages/${messageId}/edits`,
  );
  assert.deepEqual(edits.map(({ text }) => text), ["helo"]);
});

Deno.test("an edit based on an older text is refused with the present state; a reaction does not count", async () => {
  await using room = await gather();
  const { roomId, adas, bobs } = room;
  const messageId = await room.send(adas, "one");
  const edit = (text: string, baseRev: number) =>
    adas.request("message:edit", { roomId, messageId, text, baseRev });
  await adas.expect("message:edit", { roomId, messageId, text: "two" });
  await bobs.expect("reaction:set", {
    ...{ roomId, messageId, emoji: "👍", on: true },
  });
  assert.equal((await edit("three", 1)).success, true);
  const refused = await edit("four", 1);
  assert.ok(!refused.success);
  assert.equal(refused.code, "edit_conflict");
  assert.deepEqual(refused.message, await room.read(messageId));
  assert.equal((await edit("three", 1)).success, true, "it has happened");
});

Deno.test("a deleted message keeps its place and nothing else, and a retry of its sending is a duplicate", async () => {
  await using room = await gather();
  const { roomId, adas, bobs, bob } = room;
  const post = { roomId, text: "a secret", clientMsgId: crypto.randomUUID() };
  const { messageId } = await bobs.expect("message:send", post);
  await bobs.expect("message:edit", { roomId, messageId, text: "the secret" });
  await adas.expect("reaction:set", {
    ...{ roomId, messageId, emoji: "❤️", on: true },
  });
  await adas.expect("pin:set", { roomId, messageId, on: true });
  const reply = await room.send(adas, "you said", messageId);
  assert.equal((await room.read(reply)).replyTo?.text, "the secret");

  const { rev } = await adas.expect("message:delete", { roomId, messageId });
  assert.equal(rev, 4);
  const again = await bobs.expect("message:delete", { roomId, messageId });
  assert.equal(again.rev, rev);
  const { deletedAt, ...state } = await room.read(messageId);
  assert.ok(deletedAt);
  const { seq, createdAt } = state;
  assert.deepEqual(state, {
    ...{ messageId, roomId, seq, text: "", createdAt, rev },
    clientMsgId: post.clientMsgId,
    sender: bob.user,
    deletedBy: "moderator",
  });
  const { replyTo } = await room.read(reply);
  assert.deepEqual([replyTo?.text, replyTo?.deleted], ["", true]);
  const page = await (await bob.fetch(`/api/rooms/${roomId}/messages`)).text();
  assert.ok(!page.includes("secret"));
  const { messages } = await bob.getJson<{ messages: unknown[] }>(
    `/api/rooms/${roomId}/pins`,
  );
  assert.deepEqual(messages, []);

  const retried = await bobs.expect("message:send", post);
  assert.deepEqual([retried.messageId, retried.isDuplicate], [messageId, true]);
  for (
    const change of [
      bobs.request("message:edit", { roomId, messageId, text: "back" }),
      adas.request("reaction:set", {
        ...{ roomId, messageId, emoji: "👍", on: true },
      }),
      adas.request("pin:set", { roomId, messageId, on: true }),
    ]
  ) assert.equal(codeOf(await change), "message_deleted");
});

Deno.test("only authors edit, only authors and moderators delete, only moderators pin, and no one outside", async () => {
  await using room = await gather();
  const { roomId, adas, bobs } = room;
  const messageId = await room.send(adas, "Ada's");
  const bobsOwn = await room.send(bobs, "Bob's");
  const stranger = await signIn(app, `eve_${rooms}`);
  await using eves = await connect(app, stranger);
  const edit = (client: TestClient, id: string) =>
    client.request("message:edit", { roomId, messageId: id, text: "mine" });
  assert.equal(codeOf(await edit(adas, bobsOwn)), "forbidden");
  const remove = (client: TestClient) =>
    client.request("message:delete", { roomId, messageId });
  assert.equal(codeOf(await remove(bobs)), "forbidden");
  const pin = (client: TestClient) =>
    client.request("pin:set", { roomId, messageId, on: true });
  assert.equal(codeOf(await pin(bobs)), "forbidden");
  for (const change of [edit(eves, messageId), remove(eves), pin(eves)]) {
    assert.equal(codeOf(await change), "not_a_member");
  }
  const elsewhere = { roomId: crypto.randomUUID(), messageId };
  assert.equal(
    codeOf(await adas.request("message:delete", elsewhere)),
    "room_not_found",
  );
  for (const id of [crypto.randomUUID(), "no id"]) {
    assert.equal(codeOf(await edit(adas, id)), "message_not_found");
  }
  const other = await createRoom(room.ada);
  assert.equal(
    codeOf(
      await adas.request("message:delete", { roomId: other.id, messageId }),
    ),
    "message_not_found",
  );
  assert.equal((await pin(adas)).success, true);
  assert.ok((await room.read(messageId)).pinnedAt);
});

Deno.test("reactions stand in the order in which each emoji first came, twenty different ones at most", async () => {
  await using room = await gather();
  const { roomId, adas, bobs, ada, bob } = room;
  const messageId = await room.send(adas, "react");
  const react = (client: TestClient, emoji: string, on = true) =>
    client.request("reaction:set", { roomId, messageId, emoji, on });
  for (const emoji of ["👍", "❤️"]) await react(adas, emoji);
  await react(bobs, "👍");
  await react(adas, "👍", false);
  await react(adas, "👍", false);
  assert.deepEqual((await room.read(messageId)).reactions, [
    { emoji: "👍", count: 1, userIds: [bob.user.id] },
    { emoji: "❤️", count: 1, userIds: [ada.user.id] },
  ]);
  assert.equal((await room.read(messageId)).rev, 4, "a repeat is no change");
  for (const emoji of ["abc", "👍👍", "🇹", "", "<b>"]) {
    assert.equal(codeOf(await react(adas, emoji)), "bad_request");
  }
  const emoji = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑"];
  const many = await Promise.all(
    emoji.map((each, n) => react(n % 2 ? adas : bobs, each)),
  );
  assert.ok(many.every(({ success }) => success));
  assert.equal(codeOf(await react(adas, "🎉")), "reaction_limit");
  assert.equal((await react(bobs, "❤️")).success, true, "one of the twenty");
  await react(bobs, "👍", false);
  assert.equal((await react(adas, "🎉")).success, true, "one has gone");
});

Deno.test("twenty changes in ten seconds, of which repeats and refusals are none", async () => {
  // Time stands still: however slow the machine is, all of them are within the window.
  const now = systemSteadyClock();
  await using still = await startTestApp(UNLIMITED, {
    start: { steadyClock: () => now },
  });
  await using room = await gather(still);
  const { roomId, bobs } = room;
  const messageId = await room.send(room.adas, "busy");
  const react = (emoji: string, on: boolean) =>
    bobs.request("reaction:set", { roomId, messageId, emoji, on });
  for (let n = 0; n < 10; n++) {
    await react("👍", true);
    assert.equal((await react("👍", true)).success, true);
    await react("👍", false);
    await bobs.request("message:delete", { roomId, messageId });
  }
  assert.equal(codeOf(await react("👍", true)), "too_many_requests");
  assert.equal((await react("👍", false)).success, true, "that is so already");
});

Deno.test("changes of many at once are numbered without a gap or a repeat", async () => {
  await using room = await gather();
  const { roomId, adas, bobs } = room;
  const ids = await Promise.all(
    ["a", "b", "c", "d"].map((text) => room.send(adas, text)),
  );
  const acks = await Promise.all(ids.flatMap((messageId) => [
    adas.expect("message:edit", { roomId, messageId, text: "edited" }),
    ...["👍", "🎉"].flatMap((emoji) =>
      [adas, bobs].map((client) =>
        client.expect("reaction:set", { roomId, messageId, emoji, on: true })
      )
    ),
  ]));
  assert.deepEqual(
    acks.map(({ rev }) => rev).sort((a, b) => a - b),
    acks.map((_, n) => n + 1),
  );
  await bobs.waitFor("room:changes", ({ rev }) => rev === acks.length);
  const frames = bobs.all("room:changes");
  let position = 0;
  const states = new Map<string, Message>();
  for (const { prevRev, rev, messages } of frames) {
    assert.equal(prevRev, position);
    position = rev;
    for (const state of messages) states.set(state.messageId, state);
  }
  for (const id of ids) assert.deepEqual(states.get(id), await room.read(id));
});

Deno.test("edits and deletion of one message at once: it is deleted in the end, whatever came first", async () => {
  await using room = await gather();
  const { roomId, adas, bobs } = room;
  for (let n = 0; n < 10; n++) {
    const messageId = await room.send(bobs, `message ${n}`);
    await Promise.all([
      bobs.request("message:edit", { roomId, messageId, text: "edited" }),
      adas.request("message:delete", { roomId, messageId }),
      bobs.request("reaction:set", {
        ...{ roomId, messageId, emoji: "👍", on: true },
      }),
    ]);
    const state = await room.read(messageId);
    assert.ok(state.deletedAt);
    assert.deepEqual([state.text, state.reactions], ["", undefined]);
  }
});

Deno.test("the unread count leaves out what is deleted and one's own", async () => {
  await using room = await gather();
  const { roomId, adas, bobs, bob } = room;
  const unread = async (person: Person) =>
    (await person.getJson<{ unreadCount: number }>(`/api/rooms/${roomId}`))
      .unreadCount;
  const ids = [];
  for (const text of ["1", "2", "3"]) ids.push(await room.send(adas, text));
  assert.equal(await unread(bob), 3);
  await adas.expect("message:delete", { roomId, messageId: ids[1]! });
  assert.equal(await unread(bob), 2);
  assert.equal(await unread(room.ada), 0);
  await bobs.expect("room:read", { roomId, lastSeq: 1 });
  assert.equal(await unread(bob), 1);
});
