import assert from "node:assert/strict";
import { createHub, createUser } from "../../tests/realtime/fakes.ts";
import { Typing } from "./typing.ts";

const ROOM = "room";
const ALICE = createUser("alice");

function createTyping() {
  const world = createHub();
  const { hub, clock } = world;
  const told: string[] = [];
  const typing = new Typing({
    hub,
    onChanged: (roomId, changes) => {
      for (const { user, isTyping } of changes) {
        told.push(`${user.username} ${isTyping ? "types" : "stops"} ${roomId}`);
      }
    },
    clock: clock.now,
    timers: clock,
  });
  const alice = world.subscribe(ROOM, 0, ALICE);
  const bob = world.subscribe(ROOM);
  return {
    world,
    hub,
    clock,
    typing,
    alice,
    bob,
    /** What the other processes were told since the last look. */
    toldElsewhere: () => told.splice(0),
    /** What Bob was told since the last look. */
    told() {
      const marks = bob.wire.events("typing:update").map((
        { user, isTyping },
      ) => `${user.username} ${isTyping ? "types" : "stops"}`);
      bob.wire.forget();
      return marks;
    },
  };
}

Deno.test("set() tells the others at once, and none of the user's own sockets", () => {
  const { world, typing, alice, bob } = createTyping();
  const tab = world.subscribe(ROOM, 0, ALICE);
  const elsewhere = world.subscribe("other room");
  typing.set(alice.connection, ROOM, true);
  assert.deepEqual(bob.wire.events("typing:update"), [
    { roomId: ROOM, user: ALICE, isTyping: true },
  ]);
  for (const { wire } of [alice, tab, elsewhere]) {
    assert.deepEqual(wire.frames, []);
  }
});

Deno.test("a mark ends by itself after 5 s, and a refresh makes it last 5 s from then", async () => {
  const { clock, typing, alice, told } = createTyping();
  typing.set(alice.connection, ROOM, true);
  await clock.advance(4_000);
  typing.set(alice.connection, ROOM, true);
  told();
  await clock.advance(4_999);
  assert.deepEqual(told(), []);
  await clock.advance(1);
  assert.deepEqual(told(), ["alice stops"]);
  await clock.advance(10_000);
  assert.deepEqual(told(), []);
  assert.equal(clock.waiting, 0, "nothing is remembered");
});

Deno.test("set() to false ends the mark, once", async () => {
  const { clock, typing, alice, told } = createTyping();
  typing.set(alice.connection, ROOM, false);
  await clock.advance(1_000);
  assert.deepEqual(told(), []);
  typing.set(alice.connection, ROOM, true);
  await clock.advance(1_000);
  typing.set(alice.connection, ROOM, false);
  typing.set(alice.connection, ROOM, false);
  await clock.advance(10_000);
  assert.deepEqual(told(), ["alice types", "alice stops"]);
});

Deno.test("clear() ends the mark of a user who has sent a message, in that room only", async () => {
  const { world, clock, typing, alice, told } = createTyping();
  const { feed, subscription } = world.hub.hold(alice.connection, "other");
  feed.release(subscription, 0);
  const listener = world.subscribe("other");
  typing.set(alice.connection, ROOM, true);
  typing.set(alice.connection, "other", true);
  await clock.advance(300);
  typing.clear(ALICE, ROOM);
  assert.deepEqual(told(), ["alice types", "alice stops"]);
  assert.equal(listener.wire.events("typing:update").length, 1);
});

Deno.test("clearConnection() ends the marks that were set on that socket, not those of another tab", async () => {
  const { world, clock, typing, alice, told } = createTyping();
  const tab = world.subscribe(ROOM, 0, ALICE);
  typing.set(alice.connection, ROOM, true);
  await clock.advance(300);
  typing.set(tab.connection, ROOM, true);
  await clock.advance(300);
  told();
  typing.clearConnection(alice.connection, [ROOM, "unknown"]);
  await clock.advance(300);
  assert.deepEqual(told(), []);
  typing.clearConnection(tab.connection, [ROOM]);
  assert.deepEqual(told(), ["alice stops"]);
});

Deno.test("marks are sent at most four times a second, each user's newest state only", async () => {
  const { world, clock, typing, alice, bob, told } = createTyping();
  const carol = world.subscribe(ROOM, 0, createUser("carol"));
  for (let n = 0; n <= 100; n++) {
    typing.set(alice.connection, ROOM, n % 2 === 0);
    typing.set(carol.connection, ROOM, true);
    await clock.advance(10);
  }
  await clock.advance(250);
  const frames = bob.wire.frames.length;
  assert.ok(frames >= 4 && frames <= 7, `${frames} frames in 1.25 s`);
  assert.equal(
    told().filter((mark) => mark.startsWith("alice")).at(-1),
    "alice types",
  );
});

Deno.test("who types in the same moment is told of the others, never of themself", async () => {
  const { world, clock, typing, alice, told } = createTyping();
  const carol = world.subscribe(ROOM, 0, createUser("carol"));
  const dave = world.subscribe(ROOM, 0, createUser("dave"));
  typing.set(dave.connection, ROOM, true);
  typing.set(alice.connection, ROOM, true);
  typing.set(carol.connection, ROOM, true);
  await clock.advance(250);
  assert.deepEqual(told(), ["dave types", "alice types", "carol types"]);
  const names = (wire: typeof carol.wire) =>
    wire.events("typing:update").map(({ user }) => user.username);
  assert.deepEqual(names(carol.wire), ["dave", "alice"]);
  assert.deepEqual(names(alice.wire), ["dave", "carol"]);
  assert.deepEqual(names(dave.wire), ["alice", "carol"]);
});

Deno.test("a room that everybody left is forgotten, marks and all", async () => {
  const { clock, hub, typing, alice, bob } = createTyping();
  typing.set(alice.connection, ROOM, true);
  alice.connection.lost();
  bob.connection.lost();
  assert.equal(hub.feed(ROOM), undefined);
  await clock.advance(10_000);
  assert.equal(clock.waiting, 0);
});

Deno.test("in a large room marks are sent more seldom", async () => {
  const { world, clock, typing, alice, bob } = createTyping();
  for (let n = 0; n < 498; n++) world.subscribe(ROOM);
  for (let n = 0; n < 100; n++) {
    typing.set(alice.connection, ROOM, n % 2 === 0);
    await clock.advance(100);
  }
  const frames = bob.wire.frames.length;
  assert.ok(frames <= 6, `${frames} frames in 10 s to 500 sockets`);
});

Deno.test("the other processes are told of what changes here, as often as a room's subscribers", async () => {
  const { clock, typing, alice, toldElsewhere } = createTyping();
  typing.set(alice.connection, ROOM, true);
  assert.deepEqual(toldElsewhere(), [`alice types ${ROOM}`]);
  for (let n = 0; n < 21; n++) {
    typing.set(alice.connection, ROOM, n % 2 === 1);
    await clock.advance(10);
  }
  assert.deepEqual(toldElsewhere(), []);
  await clock.advance(250);
  assert.deepEqual(toldElsewhere(), [`alice stops ${ROOM}`]);
});

Deno.test("a mark that ends by itself or with its socket is told elsewhere, too", async () => {
  const { clock, typing, alice, toldElsewhere } = createTyping();
  typing.set(alice.connection, ROOM, true);
  await clock.advance(5_000);
  typing.set(alice.connection, ROOM, true);
  await clock.advance(250);
  typing.clearConnection(alice.connection, [ROOM]);
  await clock.advance(10_000);
  assert.deepEqual(
    toldElsewhere(),
    ["types", "stops", "types", "stops"].map((what) => `alice ${what} ${ROOM}`),
  );
});

Deno.test("changedElsewhere() tells the subscribers here, and is not told on, nor is its end", async () => {
  const { clock, typing, told, toldElsewhere } = createTyping();
  const carol = createUser("carol");
  typing.changedElsewhere(ROOM, [{ user: carol, isTyping: true }]);
  assert.deepEqual(told(), ["carol types"]);
  await clock.advance(1_000);
  typing.changedElsewhere(ROOM, [{ user: carol, isTyping: false }]);
  typing.changedElsewhere(ROOM, [{ user: createUser(), isTyping: false }]);
  await clock.advance(1_000);
  assert.deepEqual(told(), ["carol stops"]);
  // Its process is gone and says nothing any more.
  typing.changedElsewhere(ROOM, [{ user: carol, isTyping: true }]);
  await clock.advance(4_999);
  assert.deepEqual(told(), ["carol types"]);
  await clock.advance(1);
  assert.deepEqual(told(), ["carol stops"]);
  await clock.advance(1_000);
  assert.deepEqual(toldElsewhere(), []);
  assert.equal(clock.waiting, 0);
});

Deno.test("a user who types in two processes is seen until both marks have ended or a message ends them", async () => {
  const { clock, typing, alice, toldElsewhere } = createTyping();
  typing.changedElsewhere(ROOM, [{ user: ALICE, isTyping: true }]);
  await clock.advance(250);
  typing.set(alice.connection, ROOM, true);
  await clock.advance(250);
  typing.clear(ALICE, ROOM);
  await clock.advance(250);
  assert.deepEqual(
    toldElsewhere(),
    ["types", "stops"].map((what) => `alice ${what} ${ROOM}`),
  );
});

Deno.test("changedElsewhere() of a room that nobody here follows leaves nothing behind", async () => {
  const { clock, typing } = createTyping();
  typing.changedElsewhere("unknown", [{ user: ALICE, isTyping: true }]);
  await clock.advance(10_000);
  assert.equal(clock.waiting, 0);
});
