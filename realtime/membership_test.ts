import assert from "node:assert/strict";
import type { Database } from "../db/database.ts";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { createBackbones } from "../tests/realtime/fake_backbone.ts";
import { createHub, createUser } from "../tests/realtime/fakes.ts";
import type { Signal } from "./backbone/backbone.ts";
import { Membership } from "./membership.ts";
import { Rosters } from "./roster.ts";
import { Typing } from "./typing.ts";

const ROOM = "room";

/** Processes of one chat, with what a membership that ends touches. */
function createProcesses(count: number) {
  const clock = createFakeClock();
  const backbones = createBackbones(clock);
  const time = { clock: clock.now, timers: clock };
  const processes = Array.from({ length: count }, () => {
    const backbone = backbones.join();
    const world = createHub({ backbone, ...time });
    const { hub } = world;
    const rosters = new Rosters({
      ...{ hub, ...time },
      isOnline: () => false,
      loadMembers: () => Promise.resolve([]),
      fail: (error) => assert.fail(String(error)),
    });
    const typing = new Typing({ hub, ...time, onChanged: () => {} });
    const membership = new Membership({
      db: {} as Database,
      ...{ hub, rosters, typing, backbone, clock: clock.now },
    });
    backbone.listen({
      received(signal: Signal) {
        if (signal.kind === "membership") membership.changed(signal.change);
        if (signal.kind === "announcement") hub.announceHere(signal.event);
      },
      up: () => {},
      down: () => {},
    });
    return { ...world, hub, backbone, membership, typing };
  });
  return { clock, processes };
}

type World = ReturnType<typeof createProcesses>["processes"][number];

/** The lines a socket was told, in short. */
const lines = ({ wire }: ReturnType<World["follow"]>) =>
  wire.events("room:system").map(({ type, user }) =>
    `${type} ${user?.username}`
  );

for (const where of [[0], [1], [0, 1], [1, 2], [0, 1, 2]]) {
  Deno.test(`userRemoved() in one of three processes tells everybody once when the user has sockets in ${where}`, async () => {
    const { clock, processes } = createProcesses(3);
    const user = createUser("alice");
    const own = where.map((index) => processes[index]!.follow(ROOM, 0, user));
    const others = processes.map((process) => process.follow(ROOM));
    await clock.advance(10);
    processes[0]!.membership.userRemoved(user, [ROOM]);
    await clock.advance(10);
    for (const socket of own) {
      assert.deepEqual(lines(socket), ["leave alice"]);
      assert.equal(socket.connection.rooms.size, 0);
    }
    for (const socket of others) {
      assert.deepEqual(lines(socket), ["leave alice"]);
    }
  });
}

Deno.test("userRemoved() tells nobody of a user who followed the room nowhere", async () => {
  const { clock, processes } = createProcesses(2);
  const others = processes.map((process) => process.follow(ROOM));
  await clock.advance(10);
  processes[0]!.membership.userRemoved(createUser(), [ROOM]);
  await clock.advance(10);
  for (const socket of others) assert.deepEqual(lines(socket), []);
});

Deno.test("changed() of a membership that ended elsewhere ends typing, and tells of it when nobody has", () => {
  const { processes: [process] } = createProcesses(1);
  const { membership, typing, backbone } = process!;
  const user = createUser("alice");
  const at = "2026-03-01T12:00:00.000Z";
  for (const isAnnounced of [true, false]) {
    const own = process!.follow(ROOM, 0, user);
    const other = process!.follow(ROOM);
    typing.set(own.connection, ROOM, true);
    const change = { user, roomId: ROOM, isMember: false, at, isAnnounced };
    assert.equal(membership.changed(change), true);
    assert.deepEqual(lines(own), ["leave alice"]);
    assert.deepEqual(lines(other), isAnnounced ? [] : ["leave alice"]);
    const announced = backbone.told.filter(({ signal }) =>
      signal.kind === "announcement"
    );
    assert.equal(announced.length, isAnnounced ? 0 : 1);
    assert.equal(membership.changed(change), false, "once");
  }
});
