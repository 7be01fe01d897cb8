import assert from "node:assert/strict";
import type { Database } from "../../db/engine/database.ts";
import type { MembershipKey } from "../../db/memberships.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import {
  connectionLost,
  createGate,
  createHub,
  createMessage,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import type { MembershipChange, Signal } from "../cluster/broker.ts";
import { Reconciler } from "../cluster/reconciler.ts";
import { Rosters } from "../presence/roster.ts";
import { Typing } from "../presence/typing.ts";
import type { UserRef } from "../protocol/protocol.ts";
import { Membership } from "./membership.ts";
import { ANSWER_LIMIT_MS, RETRY_MS } from "./membership_checks.ts";

const ROOM = "room";

/** A roster or a mark of typing has been sent by then, in milliseconds. */
const ROSTER_MS = 2_000;

type Ask = (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;

/** Nobody is a member of anything any more. */
const allMissing: Ask = (keys) => Promise.resolve([...keys]);

/** Processes of one chat, with what a membership that ends touches. */
function createProcesses(count: number, missingAmong: Ask = allMissing) {
  const clock = createFakeClock();
  const brokers = createBrokers(clock);
  const time = { clock: clock.now, timers: clock };
  /** Whom a roster begins with. */
  const members: UserRef[] = [];
  const processes = Array.from({ length: count }, () => {
    const broker = brokers.join();
    const world = createHub({
      ...{ broker, ...time },
      onHold: (subscription, roomId) => membership.held(subscription, roomId),
    });
    const { hub } = world;
    const rosters = new Rosters({
      ...{ hub, ...time },
      isOnline: () => false,
      loadMembers: () => Promise.resolve([...members]),
      fail: (error) => assert.fail(String(error)),
    });
    const typing = new Typing({ hub, ...time, onChanged: () => {} });
    const failures: unknown[] = [];
    const membership: Membership = new Membership({
      db: {} as Database,
      ...{ hub, rosters, typing, broker, missingAmong, ...time },
      maxMembershipsPerUser: 5_000,
      fail: (error) => failures.push(error),
    });
    broker.listen({
      received(signal: Signal) {
        if (signal.kind === "membership") {
          membership.changedElsewhere(signal.change);
        }
        if (signal.kind === "announcement") hub.announceHere(signal.event);
      },
      up: () => {},
      down: () => {},
    });
    return {
      ...{ ...world, hub, broker, membership, typing, rosters, failures },
    };
  });
  return { clock, processes, members };
}

type World = ReturnType<typeof createProcesses>["processes"][number];

/** What another process says when the user has left. */
function endOf(user: UserRef, isAnnounced = true): MembershipChange {
  const at = "2026-03-01T12:00:00.000Z";
  return { user, roomId: ROOM, isMember: false, at, isAnnounced };
}

/** The lines a socket was told, in short. */
const lines = ({ wire }: ReturnType<World["subscribe"]>) =>
  wire.events("room:system").map(({ type, user }) =>
    `${type} ${user?.username}`
  );

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

/** A process that a late word of an end comes to: somebody who is subscribed to the room, and somebody who asks. */
async function check() {
  const gate = createGate<[readonly MembershipKey[]], MembershipKey[]>();
  const { clock, members, processes: [process] } = createProcesses(
    1,
    gate.call,
  );
  const user = createUser("alice");
  members.push(user);
  const own = process!.subscribe(ROOM, 0, user);
  const other = process!.subscribe(ROOM);
  await process!.rosters.sendTo(other.connection, ROOM);
  return {
    ...{ ...process!, process: process!, clock, gate, user, own, other },
    key: { userId: user.id, roomId: ROOM },
    say: (...seqs: number[]) =>
      process!.hub.publish(ROOM, seqs.map((seq) => createMessage(seq, ROOM))),
    /** Who is a member by the newest roster that everybody has. */
    async roster(): Promise<string[]> {
      await clock.advance(ROSTER_MS);
      const newest = other.wire.events("room:roster").at(-1)!;
      return newest.users.map(({ username }) => username);
    },
  };
}

Deno.test("a leave that is heard of late leaves a member as they are, with every message in order", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key, say } = world;
  say(1);
  membership.changedElsewhere(endOf(user));
  const { args, resolve } = gate.next();
  assert.deepEqual(args, [[key]]);
  say(2, 3);
  await clock.advance(100);
  assert.deepEqual(own.wire.seqs(), [1], "held back while it is asked");
  resolve([]);
  await clock.advance(10);
  say(4);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [1, 2, 3, 4]);
  assert.deepEqual(lines(own), []);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("who has left elsewhere gets nothing that came while it was asked", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, other, key, say } = world;
  membership.changedElsewhere(endOf(user));
  say(1);
  await clock.advance(100);
  gate.next().resolve([key]);
  say(2);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), []);
  assert.deepEqual(lines(own), ["leave alice"]);
  assert.deepEqual(other.wire.seqs(), [1, 2]);
  assert.deepEqual(await world.roster(), []);
});

for (const how of ["fails", "is silent"]) {
  Deno.test(`when the database ${how} the user is cut off, and the roster is put right when it answers`, async () => {
    const world = await check();
    const { clock, membership, gate, user, own, say, failures } = world;
    membership.changedElsewhere(endOf(user));
    if (how === "fails") gate.next().reject(connectionLost());
    else {
      gate.next();
      await clock.advance(ANSWER_LIMIT_MS - 1);
      assert.deepEqual(lines(own), []);
      await clock.advance(1);
    }
    await clock.advance(0);
    say(1);
    assert.deepEqual(lines(own), ["leave alice"]);
    assert.deepEqual(own.wire.seqs(), []);
    assert.equal(failures.length, 1);
    assert.deepEqual(await world.roster(), []);
    await clock.advance(RETRY_MS - ROSTER_MS);
    gate.next().resolve([]);
    assert.deepEqual(await world.roster(), ["alice"]);
    await clock.advance(2 * RETRY_MS);
    assert.equal(gate.calls.length, 0, "asked once more, not for ever");
  });
}

Deno.test("who joins while it is asked is asked for anew: the answer may be older", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key, say } = world;
  membership.changedElsewhere(endOf(user));
  const { resolve } = gate.next();
  membership.changedElsewhere({ ...endOf(user), isMember: true });
  say(1);
  resolve([key]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [], "held back still");
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [1]);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("who leaves here while it is asked is no member again by an older answer", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key } = world;
  membership.changedElsewhere(endOf(user));
  const { resolve } = gate.next();
  membership.userRemoved(user, [ROOM]);
  resolve([]);
  await clock.advance(10);
  gate.next().resolve([key]);
  assert.deepEqual(await world.roster(), []);
  assert.deepEqual(lines(own), ["leave alice"], "once");
});

Deno.test("a socket that catches up while it is asked is left to its catch-up, which reads for itself", async () => {
  const world = await check();
  const { clock, hub, membership, gate, user, own, key, say } = world;
  membership.changedElsewhere(endOf(user));
  say(1, 2);
  const { feed, subscription } = hub.hold(own.connection, ROOM);
  gate.next().resolve([key]);
  await clock.advance(10);
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [], "the replay comes first");
  feed.release(subscription, 1, 2);
  say(3);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [2, 3]);
});

Deno.test("a member for whom more came than can be held back is told to come again", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, say } = world;
  membership.changedElsewhere(endOf(user));
  say(...numbers(1, 1_200));
  await clock.advance(10);
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(lines(own), ["leave alice"]);
  assert.deepEqual(own.wire.seqs(), []);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("who comes back while memberships are looked at is not cut off by what was missing before", async () => {
  const world = await check();
  const { clock, process, hub, membership, broker } = world;
  const { gate, user, own, other, key, say } = world;
  const looked = createGate<[readonly MembershipKey[]], MembershipKey[]>();
  const reconciler = new Reconciler({
    ...{ hub, broker, timers: clock },
    newestOf: () => Promise.resolve([]),
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

Deno.test("ends that come while one is asked for are asked for together, after it", async () => {
  const world = await check();
  const { clock, membership, gate, process, user, key } = world;
  const others = ["bob", "carol"].map((name) => createUser(name));
  for (const other of others) process.subscribe(ROOM, 0, other);
  for (const each of [user, ...others]) {
    membership.changedElsewhere(endOf(each));
  }
  assert.equal(gate.calls.length, 1);
  gate.next().resolve([key]);
  await clock.advance(0);
  assert.deepEqual(gate.next().args, [
    others.map(({ id: userId }) => ({ userId, roomId: ROOM })),
  ]);
});

Deno.test("an end in a room that nobody follows here is not asked for", async () => {
  const { clock, membership, gate, user } = await check();
  membership.changedElsewhere({ ...endOf(user), roomId: "elsewhere" });
  await clock.advance(0);
  assert.equal(gate.calls.length, 0);
});
