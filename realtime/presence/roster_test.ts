import assert from "node:assert/strict";
import {
  connectionLost,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import {
  ALICE,
  BOB,
  brief,
  CAROL,
  createRosters,
  ROOM,
} from "../../tests/realtime/roster_fakes.ts";

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
