/** Catching up where other processes write, too: nothing is read before they are heard. */

import assert from "node:assert/strict";
import type { MemberRoom } from "../../db/memberships.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import {
  createGate,
  createHub,
  createMessages,
} from "../../tests/realtime/fakes.ts";
import type { Message } from "../protocol/protocol.ts";
import { CatchUp, type Subscribed } from "./catch_up.ts";
import { ReplayTurns } from "./replay_turns.ts";

const ROOM = "room";

function createCatchUp() {
  const clock = createFakeClock();
  const real = createBrokers(clock).join();
  const subscribes = createGate<[string], void>();
  const broker = Object.create(real, {
    subscribe: {
      value: (channel: string) =>
        channel.startsWith("room:") && real.isUp
          ? subscribes.call(channel)
          : undefined,
    },
  });
  const world = createHub({ broker, clock: clock.now, timers: clock });
  const members = createGate<[string, string[]], MemberRoom[]>();
  const stored: Message[] = [];
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: members.call,
    readMissed: () => Promise.resolve([...stored]),
    readChanged: () => Promise.resolve([]),
    history: { epoch: "" },
    sendRoster: () => undefined,
    turns: new ReplayTurns({ clock: clock.now, timers: clock }),
    timers: clock,
  });
  return {
    ...{ ...world, world, clock, broker: real, subscribes, members, stored },
    catchUp,
    async answerMembers() {
      const { args: [, roomIds], resolve } = members.next();
      resolve(roomIds.map((room_id) => ({
        room_id,
        last_seq: stored.at(-1)?.seq ?? 0,
        last_rev: 0,
      })));
      await clock.advance(0);
    },
  };
}

Deno.test("subscribe() of a room that nobody here hears asks for the membership first", async () => {
  const { world, hub, clock, subscribes, members, catchUp } = createCatchUp();
  const { connection } = world.connect();
  const subscribed = catchUp.subscribe(connection, [{ roomId: ROOM }]);
  await clock.advance(0);
  assert.equal(subscribes.calls.length, 0, "nothing of a stranger is heard");
  members.next().resolve([]);
  assert.deepEqual((await subscribed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.equal(subscribes.calls.length, 0);
});

Deno.test("subscribe() reads nothing before the room is heard, and what is told meanwhile comes once", async () => {
  const { world, clock, subscribes, members, stored, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const subscribed = catchUp.subscribe(connection, [{
    roomId: ROOM,
    lastSeq: 0,
  }]);
  await answerMembers();
  await clock.advance(1_000);
  assert.equal(members.calls.length, 0);
  // Stored and told by another process before this one hears the room.
  stored.push(...createMessages(1, 2));
  subscribes.next().resolve();
  await clock.advance(0);
  assert.equal(members.calls.length, 1);
  stored.push(...createMessages(3, 3));
  world.hub.feed(ROOM)!.publish(createMessages(3, 3));
  await answerMembers();
  const [{ result }] = await subscribed as [Subscribed];
  assert.equal(result.lastSeq, 3);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), [1, 2, 3]);
});

Deno.test("subscribe() of several rooms makes each live when it is heard, and ends with the last", async () => {
  const { world, clock, subscribes, members, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  let isDone = false;
  catchUp.subscribe(connection, [{ roomId: "slow" }, { roomId: "quick" }])
    .then(() => isDone = true);
  await answerMembers();
  assert.equal(subscribes.calls.length, 2);
  const slow = subscribes.next();
  subscribes.next().resolve();
  await clock.advance(0);
  assert.deepEqual(members.calls.map(({ args: [, roomIds] }) => roomIds), [
    ["quick"],
  ]);
  await answerMembers();
  world.hub.publish("quick", createMessages(1, 1, "quick"));
  world.hub.publish("slow", createMessages(1, 1, "slow"));
  await clock.advance(10);
  assert.deepEqual(
    wire.events("message:new").map(({ roomId }) => roomId),
    ["quick"],
    "live while the other room waits",
  );
  assert.equal(isDone, false);
  slow.resolve();
  await clock.advance(0);
  await answerMembers();
  assert.equal(isDone, true);
});

Deno.test("subscribe() by a second socket waits as long as the first, and later ones do not wait", async () => {
  const { world, clock, subscribes, members, catchUp, answerMembers } =
    createCatchUp();
  const position = [{ roomId: ROOM }];
  const [one, two, three] = [world.connect(), world.connect(), world.connect()];
  void catchUp.subscribe(one.connection, position);
  await answerMembers();
  void catchUp.subscribe(two.connection, position);
  await clock.advance(0);
  assert.equal(members.calls.length, 0);
  subscribes.next().resolve();
  await clock.advance(0);
  assert.equal(members.calls.length, 2);
  void catchUp.subscribe(three.connection, position);
  await clock.advance(0);
  assert.equal(members.calls.length, 3);
});

Deno.test("subscribe() while the broker is away waits for nobody", async () => {
  const { world, clock, broker, members, catchUp, answerMembers } =
    createCatchUp();
  broker.goDown();
  void catchUp.subscribe(world.connect().connection, [{ roomId: ROOM }]);
  await answerMembers();
  await clock.advance(0);
  assert.equal(members.calls.length, 1);
});

Deno.test("subscribe() of a connection that ends before the membership is known subscribes to nothing", async () => {
  const { world, hub, subscribes, catchUp, answerMembers } = createCatchUp();
  const { connection } = world.connect();
  const subscribed = catchUp.subscribe(connection, [{ roomId: ROOM }]);
  connection.lost();
  await answerMembers();
  assert.deepEqual((await subscribed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.equal(subscribes.calls.length, 0);
});

Deno.test("subscribe() of a connection that ends before the room is heard leaves nothing behind", async () => {
  const { world, hub, clock, subscribes, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const subscribed = catchUp.subscribe(connection, [{ roomId: ROOM }]);
  await answerMembers();
  connection.lost();
  assert.equal(hub.roomCount, 0);
  subscribes.next().resolve();
  await clock.advance(0);
  await answerMembers();
  assert.deepEqual((await subscribed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.deepEqual(wire.frames, []);
});
