/** The message limit is one limit, on however many machines its user has sockets. */

import assert from "node:assert/strict";
import type { AckData } from "../../../realtime/protocol/protocol.ts";
import type { TestClient } from "../../helpers/client.ts";
import { numbers } from "../fakes.ts";
import { createSharedRoom, say, send, until } from "../../helpers/rooms.ts";
import { missing, useMachines } from "./machines.ts";

const machines = useMachines(2);
const ignore = missing !== undefined;

const codeOf = (ack: AckData<"message:send">) =>
  ack.success ? "stored" : ack.code;

/**
 * Resolves when what either machine told before has arrived at these sockets: a user's two, and another's.
 * Typing comes by the same way, and is limited by no mute.
 */
async function crossed(
  roomId: string,
  here: TestClient,
  there: TestClient,
  other: TestClient,
): Promise<void> {
  for (const socket of [here, there]) {
    for (const isTyping of [true, false]) {
      const marks = other.all("typing:update").length;
      await socket.expect("typing:update", { roomId, isTyping });
      await until(
        "the mark has crossed",
        () => other.all("typing:update").length === marks + 1,
      );
    }
  }
  for (const isTyping of [true, false]) {
    await other.expect("typing:update", { roomId, isTyping });
    for (const socket of [here, there]) {
      await socket.waitFor(
        "typing:update",
        (mark) => mark.isTyping === isTyping,
      );
    }
  }
}

/** A user with a socket on each machine, both following the room; and somebody else. */
async function twoSockets() {
  const chat = await createSharedRoom(machines.all);
  const [{ person, socket: here }, { socket: other }] = chat.members;
  const there = await chat.subscribe(machines.all[1], person);
  const { id: roomId } = chat.room;
  // The other machine's first socket of the user is announced.
  await crossed(roomId, here, there, other);
  for (const socket of [here, there, other]) socket.forget();
  return { chat, roomId, here, there, other, person };
}

Deno.test({
  name:
    "three messages here and two there are five: the sixth mutes on both machines, and both sockets are told",
  ignore,
  async fn() {
    const { chat, roomId, here, there, other, person } = await twoSockets();
    await using _ = chat;
    for (const _ of numbers(1, 3)) await say(here, roomId);
    for (const _ of numbers(1, 2)) await say(there, roomId);
    const ack = await send(there, roomId);
    assert.ok(!ack.success && ack.code === "muted");
    const again = await send(here, roomId);
    assert.ok(!again.success && again.code === "muted");
    assert.equal(again.mutedUntil, ack.mutedUntil, "one mute on both");
    for (const socket of [here, there]) {
      const line = await socket.waitFor("room:system");
      assert.ok(line.type === "muted");
      assert.equal(line.until, ack.mutedUntil);
      assert.deepEqual(line.user, person.user);
    }
    await crossed(roomId, here, there, other);
    assert.deepEqual(other.all("room:system"), [], "nobody else hears of it");
    for (const socket of [here, there]) {
      assert.equal(socket.all("room:system").length, 1, "told once");
    }
    for (const _ of numbers(1, 5)) await say(other, roomId);
  },
});

Deno.test({
  name: "of twenty messages on two machines at the same moment five are stored",
  ignore,
  async fn() {
    const { chat, roomId, here, there, other } = await twoSockets();
    await using _ = chat;
    const acks = await Promise.all(
      numbers(1, 20).map((n) => send(n % 2 === 0 ? here : there, roomId)),
    );
    const codes = acks.map(codeOf);
    assert.equal(codes.filter((code) => code === "stored").length, 5);
    assert.equal(codes.filter((code) => code === "muted").length, 15);
    await crossed(roomId, here, there, other);
    assert.equal(other.all("message:new").length, 5);
    for (const socket of [here, there]) {
      assert.equal(socket.all("room:system").length, 1);
    }
  },
});

Deno.test({
  name: "what is refused or a repeat counts on no machine",
  ignore,
  async fn() {
    const { chat, roomId, here, there } = await twoSockets();
    await using _ = chat;
    const clientMsgId = crypto.randomUUID();
    await send(here, roomId, { clientMsgId });
    for (const socket of [here, there, here, there, here, there]) {
      assert.equal(
        codeOf(await send(socket, roomId, { text: " " })),
        "bad_request",
      );
      const again = await send(socket, roomId, { clientMsgId });
      assert.ok(again.success && again.isDuplicate);
    }
    for (const _ of numbers(1, 4)) await say(there, roomId);
    assert.equal(codeOf(await send(here, roomId)), "muted");
    const again = await send(there, roomId, { clientMsgId });
    assert.ok(again.success && again.isDuplicate, "a repeat is never muted");
  },
});
