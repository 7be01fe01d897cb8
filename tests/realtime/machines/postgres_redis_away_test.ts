/** Redis may go at any time: the chat goes on, a little slower from one machine to another. */

import assert from "node:assert/strict";
import { connect, type TestClient } from "../../helpers/client.ts";
import { createRoom, joinRoom, leaveRoom } from "../../helpers/people.ts";
import { numbers } from "../fakes.ts";
import {
  createSharedRoom,
  newPerson,
  say,
  send,
  type SharedRoom,
  until,
} from "../../helpers/rooms.ts";
import { expectTook, stopwatch } from "../../helpers/timing.ts";
import { metricOf } from "../../helpers/metrics.ts";
import {
  at,
  brokerOf,
  type Machines,
  missing,
  startMachines,
  statusOf,
} from "./machines.ts";

const ignore = missing !== undefined;

/** From one machine to another whatever Redis does, and while it is there; in milliseconds. */
const CROSSING_LIMIT_MS = 6_500;
const CROSSING_LIMIT_UP_MS = 1_000;

/** Milliseconds from an ack on one machine to the arrival on the other. */
async function cross(
  from: TestClient,
  to: TestClient,
  roomId: string,
): Promise<number> {
  const { messageId } = await say(from, roomId);
  const crossing = stopwatch();
  await to.waitFor(
    "message:new",
    (message) => message.messageId === messageId,
    2 * CROSSING_LIMIT_MS,
  );
  return crossing();
}

/** A message each way arrives within so many milliseconds. */
async function crossBothWays(
  { members: [a, b], room }: SharedRoom,
  limitMs: number,
): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const took = await cross(from.socket, to.socket, room.id);
    expectTook("crossing", took, limitMs);
  }
}

/** Everybody gets all messages, in order. */
async function expectComplete(
  { members }: SharedRoom,
  count: number,
): Promise<void> {
  for (const { socket } of members) {
    await socket.waitFor("message:new", ({ seq }) => seq === count);
    assert.deepEqual(
      socket.all("message:new").map(({ seq }) => seq),
      numbers(1, count),
    );
  }
}

async function open(
  env = {},
): Promise<{ machines: Machines; chat: SharedRoom }> {
  const machines = await startMachines(2, env);
  try {
    return { machines, chat: await createSharedRoom(machines.all) };
  } catch (error) {
    await machines[Symbol.asyncDispose]();
    throw error;
  }
}

Deno.test({
  name:
    "Redis killed: messages cross within the bound, the server is ready and says so; Redis back: at once again, nothing missing",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    const [here] = machines.all;
    await crossBothWays(chat, CROSSING_LIMIT_UP_MS);
    assert.equal(await metricOf(here, "chatket_backbone_up"), 1);

    await machines.redis.kill();
    await machines.broker("away");
    assert.equal(await metricOf(here, "chatket_backbone_up"), 0);
    await crossBothWays(chat, CROSSING_LIMIT_MS);

    await machines.redis.start();
    await machines.broker("ok");
    assert.equal(await metricOf(here, "chatket_backbone_up"), 1);
    await crossBothWays(chat, CROSSING_LIMIT_UP_MS);
    await expectComplete(chat, 6);
  },
});

Deno.test({
  name:
    "Redis frozen: messages are acked soon all the same, and cross within the bound",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    machines.redis.pause();
    const acking = stopwatch();
    await say(chat.members[0].socket, chat.room.id);
    expectTook("an ack", acking(), 4_000);
    await crossBothWays(chat, CROSSING_LIMIT_MS);
    machines.redis.resume();
    await machines.broker("ok");
    await crossBothWays(chat, CROSSING_LIMIT_UP_MS);
    await expectComplete(chat, 5);
  },
});

Deno.test({
  name:
    "one machine cut off from Redis still tells the others and hears them; they say who is cut off",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    const [here, there] = machines.all;
    here.wayToRedis.partition();
    await until(
      "it has noticed",
      async () => await brokerOf(here) === "away",
    );
    assert.equal(await brokerOf(there), "ok");
    await crossBothWays(chat, CROSSING_LIMIT_MS);
    here.wayToRedis.heal();
    await machines.broker("ok");
    await crossBothWays(chat, CROSSING_LIMIT_UP_MS);
    await expectComplete(chat, 4);
  },
});

Deno.test({
  name:
    "without Redis each machine keeps the message limit for itself; a mute holds",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    const [{ person, socket: here }] = chat.members;
    const there = await chat.subscribe(machines.all[1], person);
    await machines.redis.kill();
    await machines.broker("away");
    for (const socket of [here, there]) {
      for (const _ of numbers(1, 5)) await say(socket, chat.room.id);
      const ack = await send(socket, chat.room.id);
      assert.ok(!ack.success && ack.code === "muted");
    }
    const again = await send(here, chat.room.id);
    assert.ok(!again.success && again.code === "muted");
  },
});

Deno.test({
  name:
    "who came and went while Redis was away is shown rightly on all machines when it is back",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    const [here, there] = machines.all;
    const [{ person }, gone] = chat.members;
    const { id: roomId } = chat.room;
    const come = await newPerson(there);
    await joinRoom(come, roomId);
    await machines.redis.kill();
    await machines.broker("away");
    await gone.socket.close();
    await chat.subscribe(there, come);
    await machines.redis.start();
    await machines.broker("ok");
    for (const machine of machines.all) {
      for (
        const [each, status] of [[gone, "offline"], [
          { person: come },
          "online",
        ]] as const
      ) {
        await until(
          `${status} at ${machine === here ? "the one" : "the other"}`,
          async () =>
            await statusOf(machine, person, roomId, each.person) === status,
        );
      }
    }
  },
});

Deno.test({
  name:
    "who leaves a room while Redis is away is cut out of it on the other machine within 20 s",
  ignore,
  async fn() {
    const { machines, chat } = await open();
    await using _ = machines;
    await using __ = chat;
    const [, { person, socket }] = chat.members;
    const { id: roomId } = chat.room;
    const stays = await newPerson(machines.all[1]);
    await joinRoom(stays, roomId);
    const besides = await chat.subscribe(machines.all[1], stays);
    await machines.redis.kill();
    await machines.broker("away");
    await leaveRoom(at(machines.all[0], person), roomId);
    await socket.waitFor("room:system", ({ type }) => type === "leave", 20_000);
    socket.forget();
    await say(chat.members[0].socket, roomId);
    await besides.waitFor("message:new", undefined, 2 * CROSSING_LIMIT_MS);
    await socket.expect("presence:ping", {});
    assert.deepEqual(socket.all("message:new"), []);
  },
});

Deno.test({
  name:
    "a server that starts while Redis is away serves, and joins the others when it is back",
  ignore,
  async fn() {
    await using machines = await startMachines(2);
    await machines.redis.kill();
    await machines.broker("away");
    const third = await machines.add();
    const person = await newPerson(third);
    await using alone = await connect(third, person);
    const { id: roomId } = await createRoom(person);
    await alone.expect("room:join", { roomId });
    assert.equal((await say(alone, roomId)).seq, 1);

    await machines.redis.start();
    await machines.broker("ok");
    await using chat = await createSharedRoom(machines.all);
    const [a, , c] = chat.members;
    for (const [from, to] of [[a, c!], [c!, a]] as const) {
      const took = await cross(from.socket, to.socket, chat.room.id);
      expectTook("crossing", took, CROSSING_LIMIT_UP_MS);
    }
  },
});
