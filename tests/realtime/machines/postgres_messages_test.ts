/** Messages between people whose sockets are on different machines. */

import assert from "node:assert/strict";
import { connect, type TestClient } from "../../helpers/client.ts";
import { numbers } from "../fakes.ts";
import {
  createSharedRoom,
  say,
  send,
  type SharedRoom,
  until,
} from "../../helpers/rooms.ts";
import { expectTook, stopwatch } from "../../helpers/timing.ts";
import { missing, useMachines } from "./machines.ts";

const machines = useMachines(3, {
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "100000",
});
const ignore = missing !== undefined;

/** A message crosses within this time while Redis is there, in milliseconds. */
const CROSSING_LIMIT_MS = 1_000;

const seqs = (socket: TestClient) =>
  socket.all("message:new").map(({ seq }) => seq);

async function everybodyHas(
  { members }: SharedRoom,
  count: number,
): Promise<void> {
  await until(
    `everybody has ${count} messages`,
    () => members.every(({ socket }) => seqs(socket).length >= count),
  );
}

/**
 * One more message from each machine, which comes after whatever that machine has told before.
 *
 * @returns how many messages everybody has then
 */
async function sayFrom(chat: SharedRoom, before: number): Promise<number> {
  for (const { socket } of chat.members) await say(socket, chat.room.id);
  const count = before + chat.members.length;
  await everybodyHas(chat, count);
  return count;
}

Deno.test({
  name:
    "a message that was acked on one machine is at once on every other, with the same content",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    for (const { person, socket } of chat.members) {
      const crossing = stopwatch();
      const { seq, messageId, createdAt } = await say(
        socket,
        chat.room.id,
        `by ${person.user.username}`,
      );
      for (const other of chat.members) {
        const message = await other.socket.waitFor(
          "message:new",
          (each) => each.messageId === messageId,
        );
        expectTook("crossing", crossing(), CROSSING_LIMIT_MS);
        assert.deepEqual(
          [message.seq, message.createdAt, message.text, message.sender],
          [seq, createdAt, `by ${person.user.username}`, person.user],
        );
      }
    }
  },
});

Deno.test({
  name:
    "writers on three machines at once: everybody sees all messages in the same order, without a gap or a repeat",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const each = 60;
    const acks = await Promise.all(
      chat.members.map(async ({ socket }) => {
        const own: number[] = [];
        for (const _ of numbers(1, each / 5)) {
          const five = numbers(1, 5).map(() => say(socket, chat.room.id));
          own.push(...(await Promise.all(five)).map(({ seq }) => seq));
        }
        return own;
      }),
    );
    const total = each * chat.members.length;
    await everybodyHas(chat, total);
    const received = await sayFrom(chat, total);
    for (const { socket } of chat.members) {
      assert.deepEqual(seqs(socket), numbers(1, received));
    }
    assert.deepEqual(
      acks.flat().sort((a, b) => a - b),
      numbers(1, total),
      "each number was given once",
    );
    const [first, ...others] = chat.members.map(({ socket }) =>
      socket.all("message:new").map(({ messageId }) => messageId)
    );
    for (const other of others) assert.deepEqual(other, first);
  },
});

Deno.test({
  name:
    "the same clientMsgId on several machines at once is one message and is told once",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ person }] = chat.members;
    const sockets = [];
    for (const machine of machines.all) {
      sockets.push(await chat.subscribe(machine, person));
    }
    const clientMsgId = crypto.randomUUID();
    const acks = await Promise.all(
      [...sockets, ...sockets].map((socket) =>
        send(socket, chat.room.id, { clientMsgId })
      ),
    );
    const seen = acks.map((ack) => {
      assert.ok(ack.success);
      return `${ack.messageId} ${ack.seq}`;
    });
    assert.equal(new Set(seen).size, 1);
    assert.equal(
      acks.filter((ack) => ack.success && ack.isDuplicate !== true).length,
      1,
    );
    await everybodyHas(chat, 1);
    const received = await sayFrom(chat, 1);
    for (const { socket } of chat.members) {
      assert.deepEqual(seqs(socket), numbers(1, received));
    }
  },
});

Deno.test({
  name:
    "who comes back on another machine gets what was missed, and the live feed after it without a hole",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const { id: roomId } = chat.room;
    await b.socket.close();
    const writing = (async () => {
      for (const _ of numbers(1, 40)) await say(a.socket, roomId);
    })();
    await a.socket.waitFor("message:new", ({ seq }) => seq >= 3);
    for (const machine of machines.all) {
      await using socket = await connect(machine, b.person);
      await socket.expect("rooms:sync", { rooms: [{ roomId, lastSeq: 0 }] });
      await socket.expect("presence:ping", {});
      const got = seqs(socket);
      assert.deepEqual(got, numbers(1, got.length));
    }
    await using last = await connect(machines.all[2]!, b.person);
    await last.expect("room:join", { roomId, lastSeq: 0 });
    await writing;
    await until("all are there", () => seqs(last).length >= 40);
    assert.deepEqual(seqs(last), numbers(1, 40));
  },
});

Deno.test({
  name:
    "room:read reaches the user's sockets on other machines, and nobody else's",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const { id: roomId } = chat.room;
    const elsewhere = await chat.subscribe(machines.all[1], a.person);
    await say(b.socket, roomId);
    await a.socket.waitFor("message:new");
    await a.socket.expect("room:read", { roomId, lastSeq: 1 });
    assert.deepEqual(await elsewhere.waitFor("room:read"), {
      roomId,
      lastSeq: 1,
    });
    // Told by the same way, after it.
    await say(a.socket, roomId);
    await b.socket.waitFor("message:new", ({ seq }) => seq === 2);
    await a.socket.expect("presence:ping", {});
    assert.deepEqual(b.socket.all("room:read"), []);
    assert.deepEqual(a.socket.all("room:read"), []);
  },
});
