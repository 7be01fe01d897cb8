/** Catching up where other processes write, too: nothing is read before they are heard. */

import assert from "node:assert/strict";
import type { MemberRoom } from "../db/memberships.ts";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { createBackbones } from "../tests/realtime/fake_backbone.ts";
import {
  createGate,
  createHub,
  createMessages,
} from "../tests/realtime/fakes.ts";
import { CatchUp, type Followed } from "./catch_up.ts";
import type { MessageNew } from "./protocol.ts";

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
    sendRoster: () => Promise.resolve(),
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

Deno.test("follow() reads nothing before the room is heard, and what is told meanwhile comes once", async () => {
  const { world, clock, follows, members, stored, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM, lastSeq: 0 }]);
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

Deno.test("follow() of several rooms waits for all of them, at the same time", async () => {
  const { world, clock, follows, members, catchUp } = createCatchUp();
  const { connection } = world.connect();
  void catchUp.follow(connection, [{ roomId: "one" }, { roomId: "two" }]);
  await clock.advance(0);
  assert.equal(follows.calls.length, 2);
  for (const left of [1, 0]) {
    assert.equal(members.calls.length, 0);
    follows.next().resolve();
    await clock.advance(0);
    assert.equal(follows.calls.length, left);
  }
  assert.equal(members.calls.length, 1);
});

Deno.test("follow() by a second socket waits as long as the first, and later ones do not wait", async () => {
  const { world, clock, follows, members, catchUp } = createCatchUp();
  const position = [{ roomId: ROOM }];
  const [one, two, three] = [world.connect(), world.connect(), world.connect()];
  void catchUp.follow(one.connection, position);
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
  const { world, clock, backbone, members, catchUp } = createCatchUp();
  backbone.goDown();
  void catchUp.follow(world.connect().connection, [{ roomId: ROOM }]);
  await clock.advance(0);
  assert.equal(members.calls.length, 1);
});

Deno.test("follow() of a connection that ends before the room is heard leaves nothing behind", async () => {
  const { world, hub, clock, follows, catchUp, answerMembers } =
    createCatchUp();
  const { connection, wire } = world.connect();
  const followed = catchUp.follow(connection, [{ roomId: ROOM }]);
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
