/** Catching up where other processes write, too: nothing is read before they are heard. */

import assert from "node:assert/strict";
import type { MemberRoom } from "../../db/memberships.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBackbones } from "../../tests/realtime/fake_backbone.ts";
import {
  createGate,
  createHub,
  createMessages,
} from "../../tests/realtime/fakes.ts";
import type { MessageNew } from "../protocol/protocol.ts";
import { CatchUp, type Followed } from "./catch_up.ts";
import { ReplayTurns } from "./replay_turns.ts";

const ROOM = "room";

function createCatchUp() {
  const clock = createFakeClock();
  const real = createBackbones(clock).join();
  const follows = createGate<[string], void>();
  const backbone = Object.create(real, {
    follow: {
      value: (channel: string) =>
        channel.startsWith("room:") && real.isUp
          ? follows.call(channel)
          : undefined,
    },
  });
  const world = createHub({ backbone, clock: clock.now, timers: clock });
  const members = createGate<[string, string[]], MemberRoom[]>();
  const stored: MessageNew[] = [];
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: members.call,
    readMissed: () => Promise.resolve([...stored]),
    sendRoster: () => undefined,
    turns: new ReplayTurns({ clock: clock.now, timers: clock }),
    timers: clock,
  });
  return {
    ...{ ...world, world, clock, backbone: real, follows, members, stored },
    catchUp,
    async answerMembers() {
      const { args: [, roomIds], resolve } = members.next();
      resolve(roomIds.map((room_id) => ({
        room_id,
        last_seq: stored.at(-1)?.seq ?? 0,
      })));
      await clock.advance(0);
    },
  };
}

Deno.test("follow() of a room that nobody here hears asks for the membership first", async () => {
  const { world, hub, clock, follows, members, catchUp } = createCatchUp();
  const { connection } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM }]);
  await clock.advance(0);
  assert.equal(follows.calls.length, 0, "nothing of a stranger is heard");
  members.next().resolve([]);
  assert.deepEqual((await followed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.equal(follows.calls.length, 0);
});

Deno.test("follow() reads nothing before the room is heard, and what is told meanwhile comes once", async () => {
  const { world, clock, follows, members, stored, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM, lastSeq: 0 }]);
  await answerMembers();
  await clock.advance(1_000);
  assert.equal(members.calls.length, 0);
  // Stored and told by another process before this one hears the room.
  stored.push(...createMessages(1, 2));
  follows.next().resolve();
  await clock.advance(0);
  assert.equal(members.calls.length, 1);
  stored.push(...createMessages(3, 3));
  world.hub.feed(ROOM)!.publish(createMessages(3, 3));
  await answerMembers();
  const [{ result }] = await followed as [Followed];
  assert.equal(result.lastSeq, 3);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), [1, 2, 3]);
});

Deno.test("follow() of several rooms makes each live when it is heard, and ends with the last", async () => {
  const { world, clock, follows, members, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  let isDone = false;
  catchUp.follow(connection, [{ roomId: "slow" }, { roomId: "quick" }])
    .then(() => isDone = true);
  await answerMembers();
  assert.equal(follows.calls.length, 2);
  const slow = follows.next();
  follows.next().resolve();
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

Deno.test("follow() by a second socket waits as long as the first, and later ones do not wait", async () => {
  const { world, clock, follows, members, catchUp, answerMembers } =
    createCatchUp();
  const position = [{ roomId: ROOM }];
  const [one, two, three] = [world.connect(), world.connect(), world.connect()];
  void catchUp.follow(one.connection, position);
  await answerMembers();
  void catchUp.follow(two.connection, position);
  await clock.advance(0);
  assert.equal(members.calls.length, 0);
  follows.next().resolve();
  await clock.advance(0);
  assert.equal(members.calls.length, 2);
  void catchUp.follow(three.connection, position);
  await clock.advance(0);
  assert.equal(members.calls.length, 3);
});

Deno.test("follow() while the backbone is away waits for nobody", async () => {
  const { world, clock, backbone, members, catchUp, answerMembers } =
    createCatchUp();
  backbone.goDown();
  void catchUp.follow(world.connect().connection, [{ roomId: ROOM }]);
  await answerMembers();
  await clock.advance(0);
  assert.equal(members.calls.length, 1);
});

Deno.test("follow() of a connection that ends before the membership is known follows nothing", async () => {
  const { world, hub, follows, catchUp, answerMembers } = createCatchUp();
  const { connection } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM }]);
  connection.lost();
  await answerMembers();
  assert.deepEqual((await followed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.equal(follows.calls.length, 0);
});

Deno.test("follow() of a connection that ends before the room is heard leaves nothing behind", async () => {
  const { world, hub, clock, follows, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM }]);
  await answerMembers();
  connection.lost();
  assert.equal(hub.roomCount, 0);
  follows.next().resolve();
  await clock.advance(0);
  await answerMembers();
  assert.deepEqual((await followed).map(({ result }) => result), [
    { roomId: ROOM, synced: false },
  ]);
  assert.equal(hub.roomCount, 0);
  assert.deepEqual(wire.frames, []);
});
