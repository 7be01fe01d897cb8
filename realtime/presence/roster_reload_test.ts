import assert from "node:assert/strict";
import { connectionLost } from "../../tests/realtime/fakes.ts";
import {
  ALICE,
  BOB,
  brief,
  CAROL,
  createRosters,
  ROOM,
} from "../../tests/realtime/roster_fakes.ts";

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
