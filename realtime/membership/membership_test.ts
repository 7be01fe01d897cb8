import assert from "node:assert/strict";
import type { MembershipKey } from "../../db/memberships.ts";
import { createGate, createUser } from "../../tests/realtime/fakes.ts";
import {
  check,
  createProcesses,
  endOf,
  lines,
  ROOM,
  ROSTER_MS,
} from "../../tests/realtime/membership_fakes.ts";
import { Reconciler } from "../cluster/reconciler.ts";

for (const where of [[0], [1], [0, 1], [1, 2], [0, 1, 2]]) {
  Deno.test(`userRemoved() in one of three processes tells everybody once when the user has sockets in ${where}`, async () => {
    const { clock, processes } = createProcesses(3);
    const user = createUser("alice");
    const own = where.map((index) =>
      processes[index]!.subscribe(ROOM, 0, user)
    );
    const others = processes.map((process) => process.subscribe(ROOM));
    await clock.advance(10);
    processes[0]!.membership.userRemoved(user, [ROOM]);
    await clock.advance(10);
    for (const [index, socket] of own.entries()) {
      assert.deepEqual(lines(socket), ["leave alice"]);
      const { hub } = processes[where[index]!]!;
      assert.equal(hub.subscriptionsOf(socket.connection).size, 0);
    }
    for (const socket of others) {
      assert.deepEqual(lines(socket), ["leave alice"]);
    }
  });
}

Deno.test("userRemoved() tells nobody of a user who followed the room nowhere", async () => {
  const { clock, processes } = createProcesses(2);
  const others = processes.map((process) => process.subscribe(ROOM));
  await clock.advance(10);
  processes[0]!.membership.userRemoved(createUser(), [ROOM]);
  await clock.advance(10);
  for (const socket of others) assert.deepEqual(lines(socket), []);
});

Deno.test("the end of a membership elsewhere ends typing, and is told of when nobody has", async () => {
  const { clock, processes: [process] } = createProcesses(1);
  const { membership, typing, broker } = process!;
  const user = createUser("alice");
  for (const isAnnounced of [true, false]) {
    const own = process!.subscribe(ROOM, 0, user);
    const other = process!.subscribe(ROOM);
    typing.set(own.connection, ROOM, true);
    membership.changedElsewhere(endOf(user, isAnnounced));
    membership.changedElsewhere(endOf(user, isAnnounced));
    await clock.advance(ROSTER_MS);
    assert.deepEqual(lines(own), ["leave alice"], "once");
    assert.deepEqual(lines(other), isAnnounced ? [] : ["leave alice"]);
    assert.equal(other.wire.events("typing:update").at(-1)?.isTyping, false);
    const announced = broker.told.filter(({ signal }) =>
      signal.kind === "announcement"
    );
    assert.equal(announced.length, isAnnounced ? 0 : 1);
  }
});

Deno.test("who comes back while memberships are looked at is not cut off by what was missing before", async () => {
  const world = await check();
  const { clock, process, hub, membership, broker } = world;
  const { gate, user, own, other, key, say } = world;
  const looked = createGate<[readonly MembershipKey[]], MembershipKey[]>();
  const reconciler = new Reconciler({
    ...{ hub, broker, timers: clock },
    newestOf: () => Promise.resolve([]),
    onShrunk: () => {},
    checkHistory: () => Promise.resolve(),
    missingAmong: looked.call,
    onMissing: (missing) => membership.foundMissing(missing),
    isDone: () => false,
    fail: (error) => assert.fail(String(error)),
  });
  reconciler.now();
  await clock.advance(0);
  own.connection.lost();
  const again = process.subscribe(ROOM, 0, user);
  looked.next().resolve([key]);
  await clock.advance(0);
  gate.next().resolve([]);
  say(1);
  await clock.advance(10);
  assert.deepEqual(again.wire.seqs(), [1]);
  assert.deepEqual(lines(again), []);
  assert.deepEqual(lines(other), []);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("what was missing when memberships were looked at, and is, is an end that everybody is told of", async () => {
  const world = await check();
  const { clock, membership, gate, own, other, key } = world;
  membership.foundMissing(key);
  gate.next().resolve([key]);
  await clock.advance(10);
  assert.deepEqual([own, other].map(lines), [["leave alice"], ["leave alice"]]);
  assert.deepEqual(await world.roster(), []);
  membership.foundMissing(key);
  assert.equal(gate.calls.length, 0, "nobody follows");
});
