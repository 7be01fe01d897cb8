/** The calls about one message: what each answers, and each refusal. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { migrate } from "../../db/engine/migrate.ts";
import { storeMessages } from "../../db/messages.ts";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { startTestApp, UNLIMITED, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { makeMigratedPlace, type TestPlace } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import {
  createRoom,
  expectJson,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { makeRoom, makeUser, newMessage, NOON } from "../helpers/records.ts";

const app = useTestApp(UNLIMITED);
let rooms = 0;

/** A room of Ada's with Bob in it, and how both call it. */
async function gather() {
  const name = `m${rooms++}`;
  const ada = await signIn(app, `ada_${name}`);
  const bob = await signIn(app, `bob_${name}`);
  const { id } = await createRoom(ada);
  await joinRoom(bob, id);
  const call = (
    person: Person,
    method: string,
    path: string,
    json?: unknown,
  ) => person.fetch(`/api/rooms/${id}${path}`, { method, json });
  const post = async (person: Person, json: object) =>
    await expectJson<Message>(
      await call(person, "POST", "/messages", {
        clientMsgId: crypto.randomUUID(),
        ...json,
      }),
      201,
    );
  return { ada, bob, id, call, post };
}

/** The status and the problem's code, if it is one. */
async function outcome(answer: Response): Promise<string> {
  const text = await answer.text();
  const { code = "" } = text === "" ? {} : JSON.parse(text);
  return `${answer.status} ${code}`.trim();
}

Deno.test("a message is posted, answered, read, edited and taken back without a connection", async () => {
  const { ada, bob, id, call, post } = await gather();
  await using watcher = await connect(app, bob);
  await watcher.expect("room:join", { roomId: id });
  const json = { text: " hello ", clientMsgId: crypto.randomUUID() };
  const sent = await post(ada, json);
  assert.deepEqual(
    [sent.text, sent.seq, sent.sender],
    ["hello", 1, ada.user],
  );
  assert.deepEqual(await watcher.waitFor("message:new"), sent);
  const again = await call(ada, "POST", "/messages", json);
  assert.deepEqual(await expectJson(again, 200), sent);
  const reply = await post(bob, { text: "hi", replyTo: sent.messageId });
  assert.deepEqual(reply.replyTo, {
    ...{ messageId: sent.messageId, seq: 1, sender: ada.user, text: "hello" },
  });

  const path = `/messages/${sent.messageId}`;
  const edited = await expectJson<Message>(
    await call(ada, "PATCH", path, { text: "hello all" }),
    200,
  );
  assert.deepEqual([edited.text, edited.rev], ["hello all", 1]);
  assert.deepEqual(await expectJson(await call(bob, "GET", path), 200), edited);
  const emoji = encodeURIComponent("👍");
  for (const method of ["PUT", "PUT", "DELETE", "DELETE"]) {
    const answer = await call(bob, method, `${path}/reactions/${emoji}`);
    assert.equal(await outcome(answer), "204");
  }
  for (const method of ["PUT", "PUT"]) {
    assert.equal(await outcome(await call(ada, method, `${path}/pin`)), "204");
  }
  const pins = await expectJson<{ messages: Message[] }>(
    await call(bob, "GET", "/pins"),
    200,
  );
  assert.deepEqual(pins.messages.map(({ text }) => text), ["hello all"]);
  assert.equal(await outcome(await call(ada, "DELETE", path)), "204");
  assert.equal(await outcome(await call(ada, "DELETE", path)), "204");
  const last = await watcher.waitFor(
    "room:changes",
    ({ messages }) => messages.some(({ deletedAt }) => deletedAt),
  );
  assert.equal(last.rev, 5);
});

Deno.test("each call about a message refuses what it documents", async () => {
  const { ada, bob, call, post } = await gather();
  const eve = await signIn(app, `eve_${rooms}`);
  const { messageId } = await post(ada, { text: "Ada's" });
  const path = `/messages/${messageId}`;
  const emoji = encodeURIComponent("👍");
  const calls: [method: string, path: string, json?: unknown][] = [
    ["PATCH", "", { text: "mine" }],
    ["DELETE", ""],
    ["PUT", `/reactions/${emoji}`],
    ["DELETE", `/reactions/${emoji}`],
    ["PUT", "/pin"],
    ["DELETE", "/pin"],
    ["GET", "/edits"],
    ["GET", ""],
  ];
  const all = async (person: Person, at: string) => {
    const found: string[] = [];
    for (const [method, rest, json] of calls) {
      found.push(await outcome(await call(person, method, at + rest, json)));
    }
    return found;
  };
  const same = (text: string) => calls.map(() => text);
  assert.deepEqual(await all(eve, path), same("403 not_a_member"));
  assert.deepEqual(
    await all(ada, `/messages/${crypto.randomUUID()}`),
    same("404 message_not_found"),
  );
  assert.deepEqual(
    await all(ada, "/messages/nonsense"),
    same("404 message_not_found"),
  );
  const forbidden = await all(bob, path);
  assert.deepEqual(forbidden, [
    ...["403 forbidden", "403 forbidden", "204", "204"],
    ...["403 forbidden", "403 forbidden", "403 forbidden", "200"],
  ]);
  const none = await eve.fetch(
    `/api/rooms/${crypto.randomUUID()}${path}`,
    { method: "DELETE" },
  );
  assert.equal(await outcome(none), "404 room_not_found");
  for (const text of ["", " ", "x".repeat(501), "a\0b"]) {
    assert.equal(
      await outcome(await call(ada, "PATCH", path, { text })),
      "400 validation_failed",
    );
  }
  assert.equal(
    await outcome(await call(ada, "PUT", `${path}/reactions/abc`)),
    "400 validation_failed",
  );
  await call(ada, "PATCH", path, { text: "two" });
  const conflict = await call(ada, "PATCH", path, {
    text: "three",
    baseRev: 0,
  });
  const problem = await expectJson<{ code: string; message: Message }>(
    conflict,
    409,
  );
  assert.deepEqual(
    [problem.code, problem.message.text],
    ["edit_conflict", "two"],
  );
  await call(ada, "DELETE", path);
  const deleted = await all(ada, path);
  assert.deepEqual(deleted, [
    ...["409 message_deleted", "204", "409 message_deleted"],
    ...["409 message_deleted", "409 message_deleted", "409 message_deleted"],
    ...["200", "200"],
  ]);
});

Deno.test("a reply to a message of another room, or to none, is not posted", async () => {
  const { ada, call, post } = await gather();
  const elsewhere = await gather();
  const foreign = await elsewhere.post(elsewhere.ada, { text: "elsewhere" });
  for (const replyTo of [foreign.messageId, crypto.randomUUID(), "nonsense"]) {
    const clientMsgId = crypto.randomUUID();
    const answer = await call(ada, "POST", "/messages", {
      ...{ text: "re", clientMsgId, replyTo },
    });
    assert.equal(await outcome(answer), "400 validation_failed");
  }
  const eve = await signIn(app, `eve_${rooms++}`);
  const answer = await call(eve, "POST", "/messages", {
    ...{ text: "re", clientMsgId: crypto.randomUUID() },
    replyTo: foreign.messageId,
  });
  assert.equal(await outcome(answer), "403 not_a_member");
  assert.equal((await post(ada, { text: "first" })).seq, 1);
});

Deno.test("a muted user's message is refused with the end of the mute", async () => {
  await using strict = await startTestApp({ RATE_LIMIT_MESSAGES: "1" });
  const ada = await signIn(strict, "ada");
  const { id } = await createRoom(ada);
  const send = () =>
    ada.fetch(`/api/rooms/${id}/messages`, {
      ...{ method: "POST" },
      json: { text: "hello", clientMsgId: crypto.randomUUID() },
    });
  await (await send()).body?.cancel();
  const refused = await expectJson<{ code: string; mutedUntil: string }>(
    await send(),
    403,
  );
  assert.equal(refused.code, "muted");
  assert.ok(Date.parse(refused.mutedUntil) > Date.now());
});

Deno.test("a room has a hundred pins and a message twenty emoji at most", async () => {
  await using place = await makeMigratedPlace();
  const { user, roomId, messageId } = await fill(place);
  await using full = await startTestApp({}, { place });
  const ada = await signIn(full, user.username);
  const put = async (path: string) => {
    const base = `/api/rooms/${roomId}/messages/${messageId}`;
    return await outcome(await ada.fetch(base + path, { method: "PUT" }));
  };
  assert.equal(await put("/pin"), "409 pin_limit");
  const reaction = (emoji: string) => `/reactions/${encodeURIComponent(emoji)}`;
  assert.equal(await put(reaction("🎉")), "409 reaction_limit");
  assert.equal(await put(reaction(EMOJI[0]!)), "204", "one of the twenty");
});

const EMOJI = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓"];

/** A room whose first message has twenty emoji, and a hundred others are pinned. */
async function fill(place: TestPlace) {
  await using db = await openDatabase(place, silentLog);
  await migrate(db);
  const user = await makeUser(db);
  const roomId = await makeRoom(db, user);
  const [first, ...others] = Array.from(
    { length: 101 },
    () => newMessage(roomId, user.id),
  );
  const messageId = first!.id;
  await storeMessages(db, [first!, ...others], NOON);
  await db.insertInto("pins").values(others.map(({ id }, n) => ({
    ...{ message_id: id, room_id: roomId, user_id: user.id },
    ...{ rev: n + 1, at: NOON },
  }))).execute();
  const other = await makeUser(db);
  await db.insertInto("reactions").values(EMOJI.map((emoji, n) => ({
    ...{ message_id: messageId, user_id: other.id, emoji },
    ...{ rev: n + 101, first_rev: n + 101 },
  }))).execute();
  return { user, roomId, messageId };
}
