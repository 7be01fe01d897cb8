import assert from "node:assert/strict";
import {
  createHub,
  createMessage,
  createUser,
} from "../../tests/realtime/fakes.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import type { ClientEvents } from "../protocol/protocol.ts";
import { sendMessage } from "./message_handlers.ts";
import type { PostResult } from "./post_result.ts";

const ROOM = crypto.randomUUID();
const POST: ClientEvents["message:send"] = {
  roomId: ROOM,
  text: "hello",
  clientMsgId: crypto.randomUUID(),
};

const stored = (seq: number, isDuplicate: boolean): PostResult => ({
  kind: "stored",
  messageId: "id",
  seq,
  createdAt: "2026-03-01T12:00:00.000Z",
  isDuplicate,
});

/** The handler with a hub whose database has messages up to 5; `result` is how each post ends. */
function createSend(result: PostResult, isDraining = false) {
  const world = createHub({
    readAfter: (_, after) =>
      Promise.resolve(
        [4, 5].filter((seq) => seq > after).map((seq) =>
          createMessage(seq, ROOM)
        ),
      ),
  });
  const cleared: string[] = [];
  const seen: number[] = [];
  let posts = 0;
  const parts: Partial<HandlerParts> = {
    hub: world.hub,
    connections: world.connections,
    clock: world.clock.now,
    isDraining: () => isDraining,
    postMessage: {
      post: () => {
        posts++;
        return Promise.resolve(result);
      },
    } as unknown as HandlerParts["postMessage"],
    typing: {
      clear: (_: unknown, roomId: string) => cleared.push(roomId),
    } as unknown as HandlerParts["typing"],
    readMarkers: {
      mark: (_user: string, _room: string, seq: number) => seen.push(seq),
    } as unknown as HandlerParts["readMarkers"],
  };
  const user = createUser();
  const send = sendMessage(parts as HandlerParts);
  return {
    world,
    user,
    cleared,
    seen,
    posts: () => posts,
    send: (post = POST) => send(user, post),
  };
}

Deno.test("a stored message ends the typing mark and counts as read", async () => {
  const test = createSend(stored(5, false));
  assert.deepEqual(await test.send(), {
    success: true,
    messageId: "id",
    seq: 5,
    createdAt: "2026-03-01T12:00:00.000Z",
  });
  assert.deepEqual(test.cleared, [ROOM]);
  assert.deepEqual(test.seen, [5]);
});

Deno.test("a duplicate that nobody here was told of is delivered to the room", async () => {
  const test = createSend(stored(5, true));
  const { wire } = test.world.subscribe(ROOM, 4);
  const ack = await test.send();
  assert.ok(ack.success && ack.isDuplicate);
  await test.world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5]);
});

Deno.test("a duplicate that was delivered is not delivered again", async () => {
  const test = createSend(stored(4, true));
  const { wire } = test.world.subscribe(ROOM, 4);
  await test.send();
  await test.world.clock.advance(4);
  assert.deepEqual(wire.frames, []);
});

Deno.test("a mute is told to the user's sockets when it begins, not when it goes on", async () => {
  const mutedUntil = "2026-03-01T12:00:30.000Z";
  for (const isNew of [true, false]) {
    const test = createSend({ kind: "muted", mutedUntil, isNew });
    const own = test.world.connect(test.user);
    const other = test.world.subscribe(ROOM);
    const ack = await test.send();
    assert.ok(!ack.success && ack.code === "muted");
    assert.equal(ack.mutedUntil, mutedUntil);
    assert.equal(own.wire.events("room:system").length, isNew ? 1 : 0);
    assert.deepEqual(other.wire.frames, []);
  }
});

Deno.test("a server that stops refuses new messages as unavailable, and stores none", async () => {
  const test = createSend(stored(5, false), true);
  const ack = await test.send();
  assert.ok(!ack.success && ack.code === "unavailable");
  assert.equal(test.posts(), 0);
});

Deno.test("a room id that is none is a room that is not there", async () => {
  const test = createSend(stored(5, false));
  const ack = await test.send({ ...POST, roomId: "no uuid" });
  assert.ok(!ack.success && ack.code === "room_not_found");
  assert.equal(test.posts(), 0);
});
