/** Catching up with what was changed while a client was away. */

import assert from "node:assert/strict";
import type { Message, SyncResult } from "../../realtime/protocol/protocol.ts";
import { UNLIMITED, useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";

const app = useTestApp(UNLIMITED);

/** A room with twelve messages of Ada's, and Bob, who is away. */
async function gather(name: string) {
  const ada = await signIn(app, `ada_${name}`);
  const bob = await signIn(app, `bob_${name}`);
  const { id: roomId } = await createRoom(ada);
  await joinRoom(bob, roomId);
  const adas = await connect(app, ada);
  await adas.expect("room:join", { roomId });
  const ids: string[] = [];
  const send = async (text: string, replyTo?: string) => {
    const { messageId } = await adas.expect("message:send", {
      ...{ roomId, text, clientMsgId: crypto.randomUUID() },
      ...(replyTo === undefined ? {} : { replyTo }),
    });
    ids.push(messageId);
    return messageId;
  };
  for (let n = 1; n <= 12; n++) await send(`message ${n}`);
  const edit = (seq: number, text: string) =>
    adas.expect("message:edit", { roomId, messageId: ids[seq - 1]!, text });
  return {
    ...{ ada, bob, adas, roomId, ids, send, edit },
    [Symbol.asyncDispose]: async () => void await adas.close(),
  };
}

async function sync(
  client: TestClient,
  position: Parameters<typeof client.request<"rooms:sync">>[1]["rooms"][0],
): Promise<SyncResult> {
  const { results } = await client.expect("rooms:sync", { rooms: [position] });
  return results[0]!;
}

Deno.test("a sync brings what has changed of the messages held, in its present state, before the ack", async () => {
  await using room = await gather("sync");
  const { roomId, edit, ids } = room;
  await edit(3, "third");
  await edit(5, "fifth");
  await edit(3, "the third");
  await edit(12, "twelfth");
  await using bobs = await connect(app, room.bob);
  const result = await sync(bobs, {
    roomId,
    lastSeq: 10,
    lastRev: 1,
    fromSeq: 4,
  });
  const { epoch } = result;
  assert.deepEqual(result, {
    ...{ roomId, synced: true, messageCount: 2, hasMore: false, lastSeq: 12 },
    ...{ changeCount: 1, hasMoreChanges: false, lastRev: 4, epoch },
  });
  const [changes] = bobs.all("room:changes");
  assert.deepEqual([changes?.prevRev, changes?.rev], [1, 4]);
  assert.deepEqual(changes?.messages.map(({ seq, text }) => [seq, text]), [
    [5, "fifth"],
  ], "the third is older than what is held, the twelfth is new");
  assert.equal(bobs.all("message:new").at(-1)?.text, "twelfth");

  bobs.forget();
  await sync(bobs, { roomId, lastSeq: 12, lastRev: 0, epoch: epoch! });
  const [all] = bobs.all("room:changes");
  assert.deepEqual(all?.messages.map(({ seq, rev }) => [seq, rev]), [
    [5, 2],
    [3, 3],
    [12, 4],
  ]);
  await edit(1, "first");
  const live = await bobs.waitFor("room:changes", ({ rev }) => rev === 5);
  assert.ok(live.prevRev <= 4, "nothing is left out");
  assert.equal(live.messages.at(-1)?.messageId, ids[0]);
});

Deno.test("a position moves also by changes of which none is for the client, before the ack", async () => {
  await using room = await gather("moves");
  const { roomId } = room;
  await room.edit(2, "second");
  await using bobs = await connect(app, room.bob);
  const { changeCount, lastRev } = await sync(bobs, {
    ...{ roomId, lastSeq: 12, lastRev: 0, fromSeq: 5 },
  });
  assert.deepEqual([changeCount, lastRev], [0, 1]);
  assert.deepEqual(
    bobs.all("room:changes"),
    [{ roomId, prevRev: 0, rev: 1, messages: [] }],
  );
});

Deno.test("a client that names no rev is sent no changes, and is told the room's", async () => {
  await using room = await gather("old");
  const { roomId } = room;
  await room.edit(2, "second");
  await using bobs = await connect(app, room.bob);
  const result = await sync(bobs, { roomId, lastSeq: 12 });
  assert.deepEqual(
    [result.changeCount, result.lastRev, bobs.all("room:changes")],
    [0, 1, []],
  );
  const joined = await bobs.expect("room:join", { roomId, lastSeq: 12 });
  assert.deepEqual([joined.changeCount, joined.lastRev], [0, 1]);
});

Deno.test("a change of what is quoted comes with the messages that quote it, however old", async () => {
  await using room = await gather("quoted");
  const { roomId, ids } = room;
  await room.send("an answer", ids[0]);
  await room.edit(1, "first, edited");
  await room.edit(2, "second, edited");
  await using bobs = await connect(app, room.bob);
  const { changeCount } = await sync(bobs, {
    ...{ roomId, lastSeq: 13, lastRev: 0, fromSeq: 10 },
  });
  assert.equal(changeCount, 1);
  assert.deepEqual(
    bobs.all("room:changes")[0]?.messages.map(({ seq }) => seq),
    [1],
  );
});

Deno.test("more than a hundred changes come in parts", async () => {
  await using room = await gather("many");
  const { roomId, ids } = room;
  for (let n = 13; n <= 130; n++) await room.send(`message ${n}`);
  for (let start = 0; start < ids.length; start += 18) {
    const carol = await signIn(app, `carol_${start}`);
    await joinRoom(carol, roomId);
    await using carols = await connect(app, carol);
    for (const messageId of ids.slice(start, start + 18)) {
      await carols.expect("reaction:set", {
        ...{ roomId, messageId, emoji: "👍", on: true },
      });
    }
  }
  await using bobs = await connect(app, room.bob);
  const first = await sync(bobs, { roomId, lastSeq: 130, lastRev: 0 });
  assert.deepEqual(
    [first.changeCount, first.hasMoreChanges, first.lastRev],
    [100, true, 100],
  );
  const rest = await sync(bobs, { roomId, lastSeq: 130, lastRev: 100 });
  assert.deepEqual(
    [rest.changeCount, rest.hasMoreChanges, rest.lastRev],
    [30, false, 130],
  );
  const held = bobs.all("room:changes").flatMap(({ messages }) => messages);
  assert.equal(new Set(held.map(({ seq }) => seq)).size, 130);
});

Deno.test("a position of another history, or ahead of this one, is reset", async () => {
  await using room = await gather("reset");
  const { roomId } = room;
  await room.edit(1, "first");
  await using bobs = await connect(app, room.bob);
  const ahead = await sync(bobs, { roomId, lastSeq: 12, lastRev: 2 });
  assert.deepEqual([ahead.reset, ahead.lastRev], [true, 1]);
  const { epoch } = ahead;
  const other = await sync(bobs, {
    ...{ roomId, lastSeq: 12, lastRev: 1, epoch: crypto.randomUUID() },
  });
  assert.deepEqual([other.reset, other.epoch], [true, epoch]);
  const same = await sync(bobs, {
    roomId,
    lastSeq: 12,
    lastRev: 1,
    epoch: epoch!,
  });
  assert.equal(same.reset, undefined);
});

Deno.test("a page of history and a room name the newest change and the history", async () => {
  await using room = await gather("page");
  const { roomId, ids, bob } = room;
  await room.edit(7, "seventh");
  const at = `/api/rooms/${roomId}`;
  type Page = {
    messages: Message[];
    lastRev: number;
    epoch: string;
    hasOlder: boolean;
    hasNewer: boolean;
  };
  const page = await bob.getJson<Page>(`${at}/messages`);
  const found = await bob.getJson<Page>(at);
  assert.deepEqual([page.lastRev, found.lastRev], [1, 1]);
  assert.equal(page.epoch, found.epoch);
  for (let n = 13; n <= 80; n++) await room.send(`message ${n}`);
  const around = await bob.getJson<Page>(`${at}/messages?around=${ids[39]}`);
  const seqs = around.messages.map(({ seq }) => seq);
  assert.deepEqual([seqs[0], seqs.at(-1), seqs.length], [15, 65, 51]);
  assert.deepEqual([around.hasOlder, around.hasNewer], [true, true]);
  const { createdAt } = around.messages[25]!;
  const when = await bob.getJson<Page>(
    `${at}/messages?at=${encodeURIComponent(createdAt)}`,
  );
  assert.ok(when.messages.some((message) => message.createdAt === createdAt));
  const late = await bob.getJson<Page>(
    `${at}/messages?at=9999-01-01T00:00:00Z`,
  );
  assert.deepEqual([late.messages.at(-1)?.seq, late.hasNewer], [80, false]);
  const unknown = await bob.fetch(
    `${at}/messages?around=${crypto.randomUUID()}`,
  );
  assert.equal(unknown.status, 404);
  await unknown.body?.cancel();
});

Deno.test("a client that asks while messages are on their way to it is sent their changes, too", async () => {
  await using room = await gather("crossing");
  const { roomId } = room;
  await using bobs = await connect(app, room.bob);
  await sync(bobs, { roomId, lastSeq: 0, lastRev: 0 });
  await room.edit(11, "eleventh");
  await bobs.waitFor("room:changes");
  bobs.forget();
  // What it had when it asked: the rest was sent before, and has not come yet.
  await sync(bobs, { roomId, lastSeq: 5, lastRev: 0, fromSeq: 1 });
  assert.deepEqual(
    bobs.all("room:changes").flatMap(({ messages }) =>
      messages.map(({ seq, text }) => [seq, text])
    ),
    [[11, "eleventh"]],
  );
});
