/** What is stored about a user can be taken along and removed. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  expectJson,
  joinRoom,
  type Person,
  type Room,
  signIn,
} from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const app = useTestApp({
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "100000",
});

const say = (client: TestClient, roomId: string, text: string) =>
  client.expect("message:send", {
    roomId,
    text,
    clientMsgId: crypto.randomUUID(),
  });

/** Two people in a room of the first, each of whom has said something. */
async function conversation(first: string, second: string) {
  const [alice, bob] = [await signIn(app, first), await signIn(app, second)];
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  const [hers, his] = [await connect(app, alice), await connect(app, bob)];
  for (const client of [hers, his]) {
    await client.expect("room:join", { roomId: room.id, lastSeq: 0 });
  }
  await say(hers, room.id, "her “words”\n");
  await say(his, room.id, "his words");
  return { alice, bob, room, hers, his };
}

const remove = (person: Person) =>
  person.fetch("/api/account", { method: "DELETE" });

Deno.test("the export has the user, the rooms and all of the user's own words, and nobody else's", async () => {
  const { alice, room, hers, his } = await conversation("ada", "ben");
  const foreign = await createRoom(await signIn(app, "ben"));
  const texts = Array.from({ length: 1_200 }, (_, n) => `word ${n}`);
  await hers.close();
  await his.close();
  const client = await connect(app, alice);
  for (let start = 0; start < texts.length; start += 100) {
    const some = texts.slice(start, start + 100);
    await Promise.all(some.map((text) => say(client, room.id, text)));
  }
  const { messageId } = await say(client, room.id, "taken back");
  await client.expect("message:delete", { roomId: room.id, messageId });
  await client.close();

  const answer = await alice.fetch("/api/account/export");
  assert.match(
    answer.headers.get("content-disposition") ?? "",
    /^attachment; filename="chatket-ada\.json"$/,
  );
  const data = await expectJson<{
    user: Record<string, unknown>;
    rooms: { id: string; isCreator: boolean }[];
    messages: { text: string; seq: number; roomId: string }[];
  }>(answer, 200);
  assert.equal(data.user.id, alice.user.id);
  assert.equal(data.user.username, "ada");
  assert.deepEqual(
    data.rooms.map(({ id, isCreator }) => [id, isCreator]),
    [[room.id, true]],
  );
  assert.ok(!JSON.stringify(data).includes(foreign.id));
  assert.deepEqual(
    data.messages.map(({ text }) => text).sort(),
    ["her “words”", ...texts].sort(),
  );
  assert.equal(new Set(data.messages.map(({ seq }) => seq)).size, 1_201);
});

Deno.test("a removed user is signed out everywhere, and the sockets are closed with 4401", async () => {
  const { alice, hers, his } = await conversation("cleo", "dan");
  const answer = await remove(alice);
  assert.equal(answer.status, 204);
  assert.ok(
    answer.headers.getSetCookie().some((each) =>
      each.startsWith("chatket_session=;")
    ),
  );
  assert.equal((await hers.closed).code, 4401);
  await expectProblem(await alice.fetch("/api/auth/me"), "unauthorized");
  await expectProblem(
    await fetch(`${app.origin}/api/rooms`, {
      headers: { cookie: alice.cookie },
    }),
    "unauthorized",
  );
  const late = await connect(app, alice);
  assert.equal((await late.closed).code, 4401);
  await his.close();
});

Deno.test("a removed user's messages stay, of an author who is shown as deleted; the others see the user go", async () => {
  const { alice, bob, room, his } = await conversation("eve", "finn");
  await remove(alice);
  const gone = await his.waitFor(
    "room:system",
    ({ type }) => type === "leave",
  );
  assert.equal(gone.type === "leave" && gone.user.id, alice.user.id);
  await his.waitFor("room:roster", ({ memberCount }) => memberCount === 1);
  const { messages } = await bob.getJson<
    { messages: { text: string; sender: { username: string } }[] }
  >(`/api/rooms/${room.id}/messages`);
  assert.deepEqual(
    messages.map(({ text, sender }) => [sender.username, text]),
    [["deleted", "her “words”"], ["finn", "his words"]],
  );
  const seen = await bob.getJson<Room>(`/api/rooms/${room.id}`);
  assert.equal(seen.createdBy.username, "deleted");
  const members = await bob.getJson<{ username: string }[]>(
    `/api/rooms/${room.id}/members`,
  );
  assert.deepEqual(members.map(({ username }) => username), ["finn"]);
  await his.close();
});

Deno.test("a removed user's name is free, and who takes it is somebody else", async () => {
  const { alice, room, hers, his } = await conversation("gwen", "hugo");
  await remove(alice);
  const other = await signIn(app, "gwen");
  assert.notEqual(other.user.id, alice.user.id);
  assert.deepEqual(await other.getJson("/api/rooms"), []);
  await expectProblem(
    await other.fetch(`/api/rooms/${room.id}/messages`),
    "not_a_member",
  );
  const { messages } = await other.getJson<{ messages: unknown[] }>(
    "/api/account/export",
  );
  assert.deepEqual(messages, []);
  await hers.closed;
  await his.close();
});

Deno.test("nobody is removed or exported without a session, or from another site", async () => {
  const path = `${app.origin}/api/account`;
  await expectProblem(await fetch(`${path}/export`), "unauthorized");
  await expectProblem(await fetch(path, { method: "DELETE" }), "unauthorized");
  const ivy = await signIn(app, "ivy");
  await expectProblem(
    await fetch(path, {
      method: "DELETE",
      headers: { cookie: ivy.cookie, origin: "https://evil.example" },
    }),
    "cross_origin",
  );
  assert.ok(await ivy.getJson("/api/auth/me"));
});
