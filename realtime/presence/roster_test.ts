import assert from "node:assert/strict";
import {
  connectionLost,
  createGate,
  createHub,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import type { UserRef } from "../protocol/protocol.ts";
import { Rosters } from "./roster.ts";

const ROOM = "room";

function createRosters(members: UserRef[]) {
  const world = createHub();
  const { hub, clock } = world;
  const online = new Set<string>();
  const loads = createGate<[string], UserRef[]>();
  const failures: unknown[] = [];
  const rosters = new Rosters({
    hub,
    isOnline: (userId) => online.has(userId),
    loadMembers: loads.call,
    clock: clock.now,
    timers: clock,
    fail: (error) => failures.push(error),
  });
  return {
    world,
    hub,
    clock,
    rosters,
    members,
    loads,
    failures,
    /** Comes online or goes offline. */
    presence(user: UserRef, isOnline: boolean) {
      if (isOnline) online.add(user.id);
      else online.delete(user.id);
      rosters.presenceChanged(user.id);
    },
    /** Becomes a member or ceases to be one. */
    membership(user: UserRef, isMember: boolean) {
      const index = members.indexOf(user);
      if (isMember) members.push(user);
      else members.splice(index, 1);
      rosters.memberChanged(ROOM, user, isMember);
    },
    /** Subscribes to the room and gets its roster, loaded if need be. */
    async join(user = createUser()) {
      const made = world.subscribe(ROOM, 0, user);
      rosters.sendTo(made.connection, ROOM);
      if (loads.calls.length > 0) loads.next().resolve([...members]);
      await clock.advance(0);
      return made;
    },
  };
}

/** A roster in short: `alice+ bob- 1/2`. */
function brief(roster: {
  users: readonly { username: string; status: string }[];
  onlineCount: number;
  memberCount: number;
}): string {
  const users = roster.users.map(({ username, status }) =>
    username + (status === "online" ? "+" : "-")
  );
  return [...users, `${roster.onlineCount}/${roster.memberCount}`].join(" ");
}

const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) =>
  createUser(name)
) as [UserRef, UserRef, UserRef];

Deno.test("sendTo() gives one connection the members, online first and each part by name", async () => {
  const test = createRosters([CAROL, BOB, ALICE, createUser("dave")]);
  test.presence(CAROL, true);
  test.presence(BOB, true);
  const { wire } = await test.join();
  const [roster] = wire.events("room:roster");
  assert.equal(roster?.roomId, ROOM);
  assert.equal(brief(roster!), "bob+ carol+ alice- dave- 2/4");
  const other = await test.join();
  assert.equal(other.wire.events("room:roster").length, 1);
  assert.equal(wire.events("room:roster").length, 1, "the others get nothing");
});

Deno.test("sendTo() loads a room once for all who ask at the same moment", async () => {
  const { world, clock, rosters, loads } = createRosters([]);
  const made = numbers(1, 5).map(() => world.subscribe(ROOM));
  for (const { connection } of made) rosters.sendTo(connection, ROOM);
  assert.equal(loads.calls.length, 1);
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  for (const { wire } of made) {
    assert.deepEqual(wire.events("room:roster").map(brief), ["alice- 0/1"]);
  }
});

Deno.test("sendTo() sends nothing to a socket that has left the room during the load", async () => {
  const { world, clock, hub, rosters, loads } = createRosters([]);
  const { connection, wire } = world.subscribe(ROOM);
  rosters.sendTo(connection, ROOM);
  hub.unsubscribe(connection, ROOM);
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  assert.deepEqual(wire.frames, []);
});

Deno.test("sendTo() does not fail when members cannot be loaded, and the next one loads again", async () => {
  const { world, clock, rosters, loads, failures } = createRosters([]);
  const { connection, wire } = world.subscribe(ROOM);
  rosters.sendTo(connection, ROOM);
  loads.next().reject(connectionLost());
  await clock.advance(0);
  assert.equal(failures.length, 1);
  rosters.sendTo(connection, ROOM);
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  assert.deepEqual(wire.events("room:roster").map(brief), ["alice- 0/1"]);
});

Deno.test("who comes and goes during the load is in the roster, and it is loaded once", async () => {
  const test = createRosters([ALICE, BOB]);
  const { connection, wire } = test.world.subscribe(ROOM);
  test.rosters.sendTo(connection, ROOM);
  const { resolve } = test.loads.next();
  const early = [...test.members];
  for (const _ of numbers(1, 12)) {
    test.membership(CAROL, true);
    test.membership(BOB, false);
    test.membership(BOB, true);
    test.membership(CAROL, false);
  }
  test.membership(CAROL, true);
  test.membership(BOB, false);
  resolve(early);
  await test.clock.advance(0);
  assert.equal(test.loads.calls.length, 0);
  assert.deepEqual(wire.events("room:roster").map(brief), [
    "alice- carol- 0/2",
  ]);
});

Deno.test("a presence that changes during the load is not lost", async () => {
  const test = createRosters([ALICE]);
  const { connection, wire } = test.world.subscribe(ROOM);
  test.rosters.sendTo(connection, ROOM);
  test.presence(ALICE, true);
  test.loads.next().resolve([ALICE]);
  await test.clock.advance(0);
  assert.deepEqual(wire.events("room:roster").map(brief), ["alice+ 1/1"]);
});

Deno.test("two rosters are loaded at a time, and none that nobody waits for any more", async () => {
  const { world, clock, hub, rosters, loads } = createRosters([]);
  const { connection, wire } = world.connect();
  for (const roomId of ["a", "b", "c", "d"]) {
    const { feed, subscription } = hub.hold(connection, roomId);
    feed.release(subscription, 0, 0);
    rosters.sendTo(connection, roomId);
  }
  hub.unsubscribe(connection, "c");
  assert.deepEqual(loads.calls.map(({ args }) => args), [["a"], ["b"]]);
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  assert.deepEqual(loads.calls.map(({ args }) => args), [["b"], ["d"]]);
  loads.next().resolve([ALICE]);
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  assert.deepEqual(
    wire.events("room:roster").map(({ roomId }) => roomId),
    ["a", "b", "d"],
  );
});

Deno.test("who follows 6,000 rooms and reads gets all their rosters when one person comes online", async () => {
  const { world, clock, hub, rosters, loads, presence } = createRosters([]);
  const { connection, wire } = world.connect();
  const members = [ALICE, ...numbers(1, 3).map(() => createUser())];
  for (const n of numbers(1, 6_000)) {
    const { feed, subscription } = hub.hold(connection, `room ${n}`);
    feed.release(subscription, 0, 0);
    rosters.sendTo(connection, `room ${n}`);
    loads.next().resolve(members);
    await clock.advance(0);
  }
  await clock.advance(5_000);
  wire.forget();
  wire.reading = false;
  presence(ALICE, true);
  await clock.advance(1_000);
  presence(ALICE, false);
  await clock.advance(1_000);
  assert.equal(connection.closed, false);
  assert.ok(connection.waitingBytes < 100_000, "kept for a slow one");
  for (let turn = 0; turn < 100; turn++) {
    wire.take();
    await clock.advance(20);
  }
  const last = new Map(
    wire.events("room:roster").map((roster) => [roster.roomId, roster]),
  );
  assert.equal(last.size, 6_000);
  for (const roster of last.values()) assert.equal(roster.onlineCount, 0);
});

Deno.test("everybody is told of members who come and go, and of their presence", async () => {
  const test = createRosters([ALICE]);
  const { wire } = await test.join();
  wire.forget();
  test.membership(BOB, true);
  await test.clock.advance(250);
  test.presence(BOB, true);
  await test.clock.advance(250);
  test.membership(ALICE, false);
  await test.clock.advance(250);
  test.presence(BOB, false);
  await test.clock.advance(250);
  assert.deepEqual(wire.events("room:roster").map(brief), [
    ...["alice- bob- 0/2", "bob+ alice- 1/2", "bob+ 1/1", "bob- 0/1"],
  ]);
});

Deno.test("rosters are sent at most four times a second, the last state always", async () => {
  const test = createRosters([ALICE, BOB]);
  const { wire } = await test.join();
  wire.forget();
  for (let n = 1; n <= 100; n++) {
    test.presence(n % 2 === 0 ? ALICE : BOB, n % 4 < 2);
    await test.clock.advance(10);
  }
  test.presence(ALICE, true);
  test.presence(BOB, true);
  await test.clock.advance(250);
  const rosters = wire.events("room:roster").map(brief);
  assert.ok(rosters.length >= 3 && rosters.length <= 6, `${rosters.length}`);
  assert.equal(rosters.at(-1), "alice+ bob+ 2/2");
});

Deno.test("who leaves and comes back before the next roster has changed nothing", async () => {
  const test = createRosters([ALICE]);
  test.presence(ALICE, true);
  const { wire } = await test.join();
  test.presence(ALICE, false);
  await test.clock.advance(250);
  wire.forget();
  test.presence(ALICE, true);
  test.presence(ALICE, false);
  await test.clock.advance(1_000);
  assert.deepEqual(wire.frames, []);
});

Deno.test("the cost of n people arriving grows with n, not with its square", async () => {
  const envelopes = async (people: number) => {
    const test = createRosters([]);
    const wires = [];
    const users = numbers(1, people).map(() => createUser());
    test.members.push(...users);
    for (const user of users) {
      wires.push((await test.join(user)).wire);
      test.presence(user, true);
      await test.clock.advance(10);
    }
    await test.clock.advance(20_000);
    return wires.reduce(
      (sum, wire) => sum + wire.events("room:roster").length,
      0,
    );
  };
  const [few, many] = [await envelopes(200), await envelopes(800)];
  assert.ok(many < 8 * few, `200 people: ${few}, 800 people: ${many}`);
});

Deno.test("a roster names at most 200 users, the online ones first, and its counts are exact", async () => {
  const members = numbers(1, 350).map((n) =>
    createUser(`user${String(n).padStart(3, "0")}`)
  );
  const test = createRosters(members);
  for (const user of members.slice(300)) test.presence(user, true);
  const { wire } = await test.join();
  const [roster] = wire.events("room:roster");
  assert.equal(roster!.users.length, 200);
  assert.equal(roster!.onlineCount, 50);
  assert.equal(roster!.memberCount, 350);
  const statuses = roster!.users.map(({ status }) => status);
  assert.equal(statuses.lastIndexOf("online"), 49);
  assert.equal(statuses.indexOf("offline"), 50);

  wire.forget();
  for (const user of members.slice(0, 300)) test.presence(user, true);
  await test.clock.advance(250);
  const [full] = wire.events("room:roster");
  assert.equal(full!.users.length, 200);
  assert.ok(full!.users.every(({ status }) => status === "online"));
  assert.equal(full!.onlineCount, 350);
});

Deno.test("users named like parts of JavaScript are users", async () => {
  const names = ["__proto__", "constructor", "toString"];
  const test = createRosters(names.map((name) => createUser(name)));
  for (const user of test.members) test.presence(user, true);
  const { wire } = await test.join();
  assert.equal(
    brief(wire.events("room:roster")[0]!),
    "__proto__+ constructor+ toString+ 3/3",
  );
});

Deno.test("read() of a room that nobody follows loads its members once a second, and after a change", async () => {
  const test = createRosters([ALICE, BOB]);
  const read = async () => {
    const reading = test.rosters.read(ROOM);
    if (test.loads.calls.length > 0) {
      test.loads.next().resolve([...test.members]);
    }
    return brief((await reading)!);
  };
  assert.equal(await read(), "alice- bob- 0/2");
  test.presence(BOB, true);
  assert.equal(await read(), "bob+ alice- 1/2");
  test.membership(CAROL, true);
  assert.equal(await read(), "bob+ alice- carol- 1/3");
  // As another process does it: nothing is heard of it here.
  test.members.pop();
  assert.equal(await read(), "bob+ alice- carol- 1/3");
  await test.clock.advance(1_000);
  assert.equal(await read(), "bob+ alice- 1/2");
});

Deno.test("read() of a followed room is the roster that its subscribers have", async () => {
  const test = createRosters([ALICE, BOB]);
  await test.join(ALICE);
  test.presence(ALICE, true);
  assert.equal(brief((await test.rosters.read(ROOM))!), "alice+ bob- 1/2");
});

Deno.test("read() is undefined when the members cannot be loaded, and the next one loads again", async () => {
  const test = createRosters([ALICE]);
  const reading = test.rosters.read(ROOM);
  test.loads.next().reject(connectionLost());
  assert.equal(await reading, undefined);
  assert.equal(test.failures.length, 1);
  const again = test.rosters.read(ROOM);
  test.loads.next().resolve([ALICE]);
  assert.equal(brief((await again)!), "alice- 0/1");
});

Deno.test("sweep() forgets the rosters of rooms that nobody follows, and keeps the others", async () => {
  const test = createRosters([ALICE]);
  const { connection } = await test.join();
  test.rosters.sweep();
  const second = await test.join();
  assert.equal(test.loads.calls.length, 0, "still known");
  test.presence(ALICE, true);
  connection.lost();
  second.connection.lost();
  test.rosters.sweep();
  assert.equal(test.clock.waiting, 0, "its timer too");
  test.presence(ALICE, false);
  test.membership(BOB, true);
  const third = test.world.subscribe(ROOM);
  const sent = test.rosters.sendTo(third.connection, ROOM);
  test.loads.next().resolve([...test.members]);
  await sent;
  assert.deepEqual(
    third.wire.events("room:roster").map(brief),
    ["alice- bob- 0/2"],
  );
});

Deno.test("refresh() loads every roster anew, one after another, and sends those that have changed", async () => {
  const { world, clock, rosters, members, loads, join } = createRosters([
    ALICE,
    BOB,
  ]);
  const { wire, connection } = await join();
  const { feed, subscription } = world.hub.hold(connection, "other");
  feed.release(subscription, 0, 0);
  rosters.sendTo(connection, "other");
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  await clock.advance(1_000);
  wire.forget();
  // Bob has left and Carol has come, and nobody here heard of it.
  members.splice(1, 1, CAROL);
  const refreshed = rosters.refresh();
  assert.deepEqual(loads.calls.map(({ args }) => args), [[ROOM]]);
  loads.next().resolve([...members]);
  await clock.advance(0);
  assert.deepEqual(loads.calls.map(({ args }) => args), [["other"]]);
  loads.next().resolve([ALICE]);
  await refreshed;
  await clock.advance(1_000);
  const changed = wire.events("room:roster");
  assert.deepEqual(changed.filter(({ roomId }) => roomId === ROOM).map(brief), [
    "alice- carol- 0/2",
  ]);
  assert.equal(clock.waiting, 0);
});

Deno.test("refresh() sends nothing where nothing has changed", async () => {
  const { clock, rosters, members, loads, join, presence } = createRosters([
    ALICE,
  ]);
  const { wire } = await join();
  presence(ALICE, true);
  await clock.advance(1_000);
  wire.forget();
  const refreshed = rosters.refresh();
  loads.next().resolve([...members]);
  await refreshed;
  await clock.advance(1_000);
  assert.deepEqual(wire.frames, []);
});

Deno.test("changes during refresh() are in the roster, also those that were about to be sent", async () => {
  const { clock, rosters, members, loads, join, presence, membership } =
    createRosters([ALICE, BOB]);
  const { wire } = await join();
  presence(ALICE, true);
  const refreshed = rosters.refresh();
  const stale = [...members];
  presence(BOB, true);
  membership(CAROL, true);
  loads.next().resolve(stale);
  await refreshed;
  await clock.advance(1_000);
  assert.equal(
    brief(wire.events("room:roster").at(-1)!),
    "alice+ bob+ carol- 2/3",
  );
});

Deno.test("refresh() that fails keeps the roster as it was known, and the others are loaded", async () => {
  const { world, clock, rosters, loads, join, failures, presence } =
    createRosters([ALICE]);
  const { wire, connection } = await join();
  world.hub.hold(connection, "other");
  rosters.sendTo(connection, "other");
  loads.next().resolve([ALICE]);
  await clock.advance(0);
  const refreshed = rosters.refresh();
  loads.next().reject(connectionLost());
  await clock.advance(0);
  loads.next().resolve([ALICE]);
  await refreshed;
  assert.equal(failures.length, 1);
  wire.forget();
  presence(ALICE, true);
  await clock.advance(1_000);
  const roster = wire.events("room:roster").find(({ roomId }) =>
    roomId === ROOM
  );
  assert.equal(brief(roster!), "alice+ 1/1");
});

Deno.test("refresh() of a room that everybody leaves meanwhile leaves nothing behind", async () => {
  const { clock, rosters, loads, join, presence } = createRosters([ALICE]);
  const { wire, connection } = await join();
  const refreshed = rosters.refresh();
  connection.lost();
  rosters.sweep();
  loads.next().resolve([ALICE]);
  await refreshed;
  rosters.sweep();
  presence(ALICE, true);
  await clock.advance(1_000);
  assert.equal(clock.waiting, 0);
  assert.equal(wire.events("room:roster").length, 1);
});
