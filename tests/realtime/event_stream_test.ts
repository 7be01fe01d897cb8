/** Where WebSockets are blocked: the same rules over Server-Sent Events and POST. */

import assert from "node:assert/strict";
import type {
  ServerEnvelope,
  SyncResult,
} from "../../realtime/protocol/protocol.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  joinRoom,
  leaveRoom,
  type Person,
} from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  until,
} from "../helpers/rooms.ts";

const app = useTestApp();

type Ack = { success: boolean; code?: string; [key: string]: unknown };

/** A client that lives by an event stream. */
async function openStream(person: Person) {
  const answer = await person.fetch("/api/events");
  assert.equal(answer.status, 200);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const events: Exclude<ServerEnvelope, { ack: number }>[] = [];
  const goodbyes: { code: number }[] = [];
  let ended = false;
  const take = (block: string) => {
    if (block.startsWith(":")) return;
    const data = JSON.parse(/^data: (.*)$/m.exec(block)![1]!);
    if (data.event === "close") goodbyes.push(data.data);
    else events.push(...[data].flat());
  };
  (async () => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({
        done: true,
        value: "",
      }));
      if (done) break;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) take(block);
    }
    ended = true;
  })();
  await until("hello", () => events.length > 0);
  const [hello] = events;
  assert.ok(hello?.event === "hello", "the first event is hello");
  const path = `/api/events?connection=${hello.data.connectionId}`;
  let nextId = 1;
  return {
    events,
    goodbyes,
    ended: () => ended,
    post: (json: unknown) => person.fetch(path, { method: "POST", json }),
    async request(event: string, data: unknown): Promise<Ack> {
      const id = nextId++;
      const answer = await person.fetch(path, {
        method: "POST",
        json: { id, event, data },
      });
      const envelope = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(envelope));
      assert.equal(envelope.ack, id);
      return envelope.data;
    },
    seqs: () =>
      events.flatMap((each) =>
        each.event === "message:new" ? [each.data.seq] : []
      ),
    async [Symbol.asyncDispose]() {
      await reader.cancel();
    },
  };
}

const post = (roomId: string, text = "hello") => ({
  roomId,
  text,
  clientMsgId: crypto.randomUUID(),
});

Deno.test("a stream and a socket hear the same, and a stream's user is as present as any", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  const bob = await newPerson(app);
  await joinRoom(bob, roomId);
  await using stream = await openStream(bob);
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 2);
  assert.ok((await stream.request("room:join", { roomId })).success);
  await socket.waitFor("room:system", ({ type }) => type === "join");
  const ack = await stream.request("message:send", post(roomId));
  assert.equal(ack.seq, 1);
  await say(socket, roomId);
  await until("both", () => stream.seqs().length === 2);
  assert.deepEqual(
    stream.events.filter(({ event }) => event === "message:new").map((each) =>
      each.data
    ),
    socket.all("message:new"),
  );
  await socket.expect("typing:update", { roomId, isTyping: true });
  await until(
    "the mark",
    () => stream.events.some(({ event }) => event === "typing:update"),
  );
  await stream[Symbol.asyncDispose]();
  await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 1);
});

Deno.test("a stream catches up as a socket does", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ person, socket }] = chat.members;
  const { id: roomId } = chat.room;
  for (const _ of numbers(1, 5)) await say(socket, roomId);
  await using stream = await openStream(person);
  const { results } = await stream.request("rooms:sync", {
    rooms: [{ roomId, lastSeq: 2 }],
  }) as Ack & { results: SyncResult[] };
  const { messageCount, hasMore, lastSeq } = results[0]!;
  assert.deepEqual([messageCount, hasMore, lastSeq], [3, false, 5]);
  await until("the replay", () => stream.seqs().length === 3);
  assert.deepEqual(stream.seqs(), [3, 4, 5]);
});

Deno.test("the message limit and duplicates are the same over a stream", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ person, socket }] = chat.members;
  const { id: roomId } = chat.room;
  await using stream = await openStream(person);
  const first = post(roomId);
  for (const _ of numbers(1, 3)) await say(socket, roomId);
  for (const message of [first, post(roomId)]) {
    assert.ok((await stream.request("message:send", message)).success);
  }
  const again = await stream.request("message:send", first);
  assert.deepEqual([again.seq, again.isDuplicate], [4, true]);
  const muted = await stream.request("message:send", post(roomId));
  assert.equal(muted.code, "muted");
  await socket.waitFor("room:system", ({ type }) => type === "muted");
  await until(
    "the line",
    () => stream.events.some(({ event }) => event === "room:system"),
  );
});

Deno.test("more frames than the limit end the stream with 4429, and a frame that was not handled is not acked", async () => {
  await using app = await startTestApp({
    FRAME_LIMIT_BURST: "10",
    FRAME_LIMIT_PER_SECOND: "1",
  });
  await using stream = await openStream(await newPerson(app));
  const answers = await Promise.all(
    numbers(1, 50).map((id) =>
      stream.post({ id, event: "presence:ping", data: {} })
    ),
  );
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  const acked = bodies.filter((text) => text.includes('"success":true'));
  assert.ok(acked.length >= 10 && acked.length < 15, `${acked.length} acks`);
  assert.deepEqual(
    [...new Set(answers.map(({ status }) => status))].sort(),
    [200, 404],
    "acked, or told that the connection is gone",
  );
  await until("the end", () => stream.ended());
  assert.deepEqual(stream.goodbyes.map(({ code }) => code), [4429]);
});

Deno.test("leaving over HTTP cuts a stream's feed at once", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  const bob = await newPerson(app);
  await joinRoom(bob, roomId);
  await using stream = await openStream(bob);
  await stream.request("room:join", { roomId });
  await leaveRoom(bob, roomId);
  await until(
    "the line",
    () =>
      stream.events.some((each) =>
        each.event === "room:system" && each.data.type === "leave"
      ),
  );
  await say(socket, roomId);
  await app.idle();
  // What comes from another room now comes after all that the stream was sent before.
  const other = await createRoom(bob);
  await stream.request("room:join", { roomId: other.id });
  await stream.request("message:send", post(other.id));
  await until("the other room's message", () => stream.seqs().length > 0);
  const messages = stream.events.filter(({ event }) => event === "message:new");
  assert.deepEqual(
    messages.map(({ data }) => "roomId" in data && data.roomId),
    [other.id],
  );
});
