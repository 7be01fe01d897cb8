/** Changes of messages between people whose sockets are on different machines. */

import assert from "node:assert/strict";
import type { Message } from "../../../realtime/protocol/protocol.ts";
import type { TestClient } from "../../helpers/client.ts";
import { createSharedRoom, say, until } from "../../helpers/rooms.ts";
import { missing, useMachines } from "./machines.ts";

const machines = useMachines(3, {
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "100000",
});
const ignore = missing !== undefined;

/** The states a client has by its events: what came new, and each change that is newer. */
function statesOf(socket: TestClient): Map<string, Message> {
  const held = new Map<string, Message>();
  const take = (message: Message) => {
    const before = held.get(message.messageId);
    if ((before?.rev ?? -1) < (message.rev ?? 0)) {
      held.set(message.messageId, message);
    }
  };
  socket.all("message:new").forEach(take);
  socket.all("room:changes").forEach(({ messages }) => messages.forEach(take));
  return held;
}

const positionOf = (socket: TestClient) =>
  socket.all("room:changes").at(-1)?.rev ?? 0;

Deno.test({
  name:
    "changes on three machines at once are numbered without a gap, and everyone ends with the same states",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const { room: { id: roomId }, members } = chat;
    const [first] = members;
    const messages = await Promise.all(
      members.map(({ socket }) => say(socket, roomId)),
    );
    const acks = await Promise.all(
      members.flatMap(({ socket }, n) => [
        socket.expect("message:edit", {
          ...{ roomId, messageId: messages[n]!.messageId, text: `edit ${n}` },
        }),
        ...messages.flatMap(({ messageId }) =>
          ["👍", "🎉"].map((emoji) =>
            socket.expect("reaction:set", {
              ...{ roomId, messageId, emoji, on: true },
            })
          )
        ),
      ]),
    );
    assert.deepEqual(
      acks.map(({ rev }) => rev).sort((a, b) => a - b),
      acks.map((_, n) => n + 1),
    );
    await until(
      "everyone has the last change",
      () => members.every(({ socket }) => positionOf(socket) === acks.length),
    );
    const page = await first!.person.getJson<{ messages: Message[] }>(
      `/api/rooms/${roomId}/messages`,
    );
    for (const { socket } of members) {
      const held = statesOf(socket);
      for (const message of page.messages) {
        assert.deepEqual(held.get(message.messageId), message);
      }
      let position = 0;
      for (const { prevRev, rev } of socket.all("room:changes")) {
        assert.ok(prevRev <= position, "no change is left out");
        position = rev;
      }
    }
  },
});

Deno.test({
  name:
    "a change that is made while the machines have lost each other comes within seconds",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const { room: { id: roomId }, members: [one, two] } = chat;
    const { messageId } = await say(one!.socket, roomId);
    await two!.socket.waitFor("message:new");
    for (const { wayToRedis } of machines.all) wayToRedis.partition();
    await machines.broker("away");
    await one!.socket.expect("message:delete", { roomId, messageId });
    const { messages } = await two!.socket.waitFor("room:changes");
    assert.ok(messages[0]?.deletedAt);
    for (const { wayToRedis } of machines.all) wayToRedis.heal();
    await machines.broker("ok");
  },
});
