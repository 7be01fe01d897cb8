import assert from "node:assert/strict";
import {
  createHub,
  createMessage,
  createMessages,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import { eventFrame } from "../connection/frames.ts";

const ROOM = "room";

Deno.test("publish() gives a message of a quiet room to every subscriber at once, encoded once", () => {
  const world = createHub();
  const one = world.subscribe(ROOM);
  const two = world.subscribe(ROOM);
  one.feed.publish([createMessage(1)]);
  assert.deepEqual(one.wire.events("message:new"), [createMessage(1)]);
  assert.equal(one.wire.frames[0], two.wire.frames[0]);
});

Deno.test("publish() gathers the messages of a busy room into one frame, in order, none twice", async () => {
  const world = createHub();
  const { wire, feed } = world.subscribe(ROOM);
  for (const seq of numbers(1, 10)) feed.publish([createMessage(seq)]);
  assert.deepEqual(wire.seqs(), [1]);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), numbers(1, 10));
  assert.equal(wire.frames.length, 2);
  await world.clock.advance(4);
  feed.publish([createMessage(11)]);
  assert.equal(wire.frames.length, 3, "quiet again: no wait");
});

Deno.test("publish() puts at most 100 messages into a frame", () => {
  const world = createHub();
  const { wire, feed } = world.subscribe(ROOM);
  feed.publish(createMessages(1, 250));
  assert.deepEqual(
    wire.frames.map((frame) => [JSON.parse(frame)].flat().length),
    [100, 100, 50],
  );
  assert.deepEqual(wire.seqs(), numbers(1, 250));
});

Deno.test("publish() ignores what has been delivered already", async () => {
  const world = createHub();
  const { wire, feed } = world.subscribe(ROOM);
  feed.publish(createMessages(1, 3));
  feed.publish(createMessages(2, 4));
  feed.publish([]);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [1, 2, 3, 4]);
});

Deno.test("hold() keeps live messages back and release() gives those after the position, once", async () => {
  const world = createHub();
  const other = world.subscribe(ROOM, 3);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.publish(createMessages(4, 8));
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), []);
  assert.deepEqual(other.wire.seqs(), numbers(4, 8), "others do not wait");
  feed.release(subscription, 6);
  assert.deepEqual(wire.seqs(), [7, 8]);
  feed.publish([createMessage(9)]);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [7, 8, 9]);
});

Deno.test("release() drops what lies up to the position, also when it is still to be flushed", async () => {
  const world = createHub();
  const other = world.subscribe(ROOM, 0);
  other.feed.publish([createMessage(1)]);
  other.feed.publish([createMessage(2)]);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.release(subscription, 2);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), []);
  feed.publish([createMessage(3)]);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [3]);
});

Deno.test("hold() of a live subscriber holds again, and what it had before comes once", () => {
  const world = createHub();
  const { connection, wire, feed, subscription } = world.subscribe(ROOM, 0);
  feed.publish(createMessages(1, 2));
  const again = world.hub.hold(connection, ROOM);
  assert.equal(again.subscription, subscription);
  assert.equal(again.firstOfUser, false);
  feed.release(subscription, 2);
  assert.deepEqual(wire.seqs(), [1, 2]);
});

Deno.test("hold() says which socket is the user's first, and remove() which was the last", () => {
  const world = createHub();
  const user = createUser();
  const one = world.connect(user).connection;
  const two = world.connect(user).connection;
  assert.equal(world.hub.hold(one, ROOM).firstOfUser, true);
  const { feed, firstOfUser } = world.hub.hold(two, ROOM);
  assert.equal(firstOfUser, false);
  assert.deepEqual(feed.connectionsOf(user.id), [one, two]);
  assert.equal(feed.remove(one), false);
  assert.equal(feed.remove(one), undefined);
  assert.equal(feed.remove(two), true);
  assert.deepEqual(feed.connectionsOf(user.id), []);
});

Deno.test("hasGap() sees a gap between the position and what is held, and none where there is none", async () => {
  const world = createHub();
  world.subscribe(ROOM, 9);
  const { connection } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  assert.equal(feed.hasGap(subscription, 3), false, "nothing is held");
  feed.publish(createMessages(10, 12));
  await world.clock.advance(4);
  assert.equal(feed.hasGap(subscription, 8), true);
  assert.equal(feed.hasGap(subscription, 9), false);
  assert.equal(feed.hasGap(subscription, 12), false);
});

Deno.test("a subscriber held for too long overflows: it keeps about 1,000 messages and is told to read the rest", async () => {
  const world = createHub();
  world.subscribe(ROOM, 0);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.publish(createMessages(1, 1_000));
  await world.clock.advance(4);
  assert.equal(feed.hasGap(subscription, 0), false);
  feed.publish(createMessages(1_001, 1_300));
  await world.clock.advance(4);
  assert.ok(subscription.held!.length < 1_200, "memory is bounded");
  assert.equal(feed.hasGap(subscription, 0), true);
  feed.release(subscription, 0);
  assert.deepEqual(wire.seqs().slice(0, 1_000), numbers(1, 1_000));
  world.hub.hold(connection, ROOM);
  assert.equal(
    feed.hasGap(subscription, 1_300),
    false,
    "forgotten with a new try",
  );
});

Deno.test("broadcast() reaches all subscribers but the excepted users", () => {
  const world = createHub();
  const left = createUser();
  const out = [world.subscribe(ROOM, 0, left), world.subscribe(ROOM, 0, left)];
  const { wire, feed } = world.subscribe(ROOM);
  const frame = eventFrame({ event: "hello", data: { connectionId: "x" } });
  feed.broadcast(frame, new Set([left.id]));
  assert.deepEqual(wire.frames, [frame.text]);
  for (const each of out) assert.deepEqual(each.wire.frames, []);
});

Deno.test("broadcast() does not reach a socket that has not been let in yet", () => {
  const world = createHub();
  world.subscribe(ROOM);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  const frame = eventFrame({ event: "hello", data: { connectionId: "x" } });
  feed.broadcast(frame);
  assert.deepEqual(wire.frames, [], "it may be no member of the room");
  feed.release(subscription, 0);
  feed.broadcast(frame);
  world.hub.hold(connection, ROOM);
  feed.broadcast(frame);
  assert.deepEqual(wire.frames, [frame.text, frame.text]);
});

Deno.test("a message that waits to be flushed does not reach who left in the meantime", async () => {
  const world = createHub();
  const stays = world.subscribe(ROOM);
  const leaves = world.subscribe(ROOM);
  stays.feed.publish([createMessage(1)]);
  stays.feed.publish([createMessage(2)]);
  world.hub.unsubscribe(leaves.connection, ROOM);
  await world.clock.advance(4);
  assert.deepEqual(stays.wire.seqs(), [1, 2]);
  assert.deepEqual(leaves.wire.seqs(), [1]);
});

Deno.test("a feed that everybody left waits for nothing", () => {
  const world = createHub();
  const { connection, feed } = world.subscribe(ROOM);
  feed.publish([createMessage(1)]);
  feed.publish([createMessage(2)]);
  assert.equal(world.clock.waiting, 1);
  connection.lost();
  assert.equal(world.clock.waiting, 0);
});
