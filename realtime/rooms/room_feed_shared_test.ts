/** The live feed of a room that other processes write in, too: order, overtaking and gaps. */

import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import {
  connectionLost,
  createHub,
  createMessage,
  createMessages,
  createStore,
  numbers,
} from "../../tests/realtime/fakes.ts";

const ROOM = "room";

/** A hub with another process in the chat: whatever has a gap may only have been overtaken. */
function createSharedHub() {
  const store = createStore();
  const clock = createFakeClock();
  const broker = createBrokers(clock).join();
  const world = createHub({
    readAfter: store.gate.call,
    broker,
    clock: clock.now,
    timers: clock,
  });
  return { ...world, world, clock, store };
}

/** The same where this process is alone. */
function createLocalHub() {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  return { world, clock: world.clock, store };
}

Deno.test("where several processes write, a message that overtakes is delivered in order, and nothing is read", async () => {
  const { world, clock, store } = createSharedHub();
  const { wire, feed } = world.subscribe(ROOM, 4);
  feed.publish([createMessage(6)]);
  await clock.advance(29);
  assert.deepEqual(wire.seqs(), []);
  feed.publish([createMessage(5)]);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), [5, 6]);
  assert.equal(store.gate.calls.length, 0);
  assert.equal(clock.waiting, 0);
});

Deno.test("where several processes write, a message that does not come is read after 30 ms", async () => {
  const { world, clock, store } = createSharedHub();
  const { wire, feed } = world.subscribe(ROOM, 4);
  store.stored.push(...createMessages(1, 6));
  feed.publish([createMessage(6)]);
  await clock.advance(29);
  assert.equal(store.gate.calls.length, 0);
  await clock.advance(1);
  assert.deepEqual(store.gate.calls[0]?.args, [ROOM, 4, 100]);
  store.answer();
  await clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
  feed.publish([createMessage(5)]);
  feed.publish([createMessage(7)]);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), [5, 6, 7], "what comes too late is known");
  assert.equal(clock.waiting, 0);
});

Deno.test("where several processes write, a second gap waits its own time", async () => {
  const { world, clock, store } = createSharedHub();
  const { wire, feed } = world.subscribe(ROOM, 0);
  feed.publish([createMessage(2)]);
  await clock.advance(25);
  feed.publish([createMessage(1)]);
  feed.publish([createMessage(4)]);
  await clock.advance(25);
  feed.publish([createMessage(3)]);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), [1, 2, 3, 4]);
  assert.equal(store.gate.calls.length, 0);
});

Deno.test("messages of three processes in any interleaving reach each subscriber in order, once", async () => {
  const { world, clock, store } = createSharedHub();
  const { wire, feed } = world.subscribe(ROOM, 0);
  // Each process tells its own in order; the third is always late by less than what is waited for.
  const late: [number, number[]][] = [[0, [1, 4, 7, 10]], [7, [2, 5, 8, 11]], [
    20,
    [3, 6, 9, 12],
  ]];
  for (const [delay, seqs] of late) {
    seqs.forEach((seq, index) =>
      clock.after(
        delay + index * 2,
        () => feed.publish([createMessage(seq)]),
      )
    );
  }
  await clock.advance(3);
  const joined = world.connect();
  const { subscription } = world.hub.hold(joined.connection, ROOM);
  await clock.advance(10);
  feed.release(subscription, 2);
  await clock.advance(100);
  assert.deepEqual(wire.seqs(), numbers(1, 12));
  assert.deepEqual(joined.wire.seqs(), numbers(3, 12));
  assert.equal(store.gate.calls.length, 0);
});

Deno.test("who follows while a message is overtaken gets both, whether the catch-up has read them or not", async () => {
  for (const through of [4, 5, 6]) {
    const { world, clock, store } = createSharedHub();
    world.subscribe(ROOM, 4);
    const { connection, wire } = world.connect();
    const { feed, subscription } = world.hub.hold(connection, ROOM);
    feed.publish([createMessage(6)]);
    feed.release(subscription, through);
    feed.publish([createMessage(5)]);
    await clock.advance(100);
    assert.deepEqual(wire.seqs(), numbers(through + 1, 6));
    assert.equal(store.gate.calls.length, 0);
  }
});

Deno.test("the first subscriber of a room is told of a gap when an overtaken message came before its catch-up", async () => {
  const { world, clock } = createSharedHub();
  const { connection } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.publish([createMessage(6)]);
  feed.publish([createMessage(5)]);
  await clock.advance(100);
  assert.equal(feed.hasGap(subscription, 4), true);
  assert.equal(feed.hasGap(subscription, 5), false);
});

Deno.test("a feed that everybody left behind a gap waits for nothing, also when it was being mended", async () => {
  for (const isShared of [true, false]) {
    const { world, clock, store } = isShared
      ? createSharedHub()
      : createLocalHub();
    const { connection, feed } = world.subscribe(ROOM, 4);
    feed.publish([createMessage(6)]);
    await clock.advance(30);
    feed.publish([createMessage(9)]);
    connection.lost();
    store.gate.next().reject(connectionLost());
    await clock.advance(60_000);
    assert.equal(clock.waiting, 0);
    assert.equal(store.gate.calls.length, 0);
  }
});

Deno.test("what another process says before anything is known of the room is read, not believed", async () => {
  const { world, clock, store } = createSharedHub();
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.receive([createMessage(1_000, ROOM, "made up")]);
  feed.release(subscription, 4, 4);
  store.stored.push(...createMessages(1, 5));
  store.answer();
  await clock.advance(4);
  assert.deepEqual(wire.seqs(), [5]);
  feed.receive([createMessage(6)]);
  await clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
});

Deno.test("messages behind a gap that the database does not have are made up: they are dropped, and the feed goes on", async () => {
  for (const { world, clock, store } of [createSharedHub(), createLocalHub()]) {
    const { wire, feed } = world.subscribe(ROOM, 4);
    feed.publish([createMessage(6), createMessage(8)]);
    await clock.advance(30);
    const { resolve } = store.gate.next();
    // It comes while the reading is on its way: what is before it may be yet to come.
    feed.publish([createMessage(10)]);
    resolve([]);
    await clock.advance(4);
    assert.deepEqual(wire.seqs(), []);
    feed.publish([createMessage(9)]);
    await clock.advance(29);
    store.stored.push(createMessage(9), createMessage(10));
    while (store.gate.calls.length > 0) {
      store.answer();
      await clock.advance(4);
    }
    await clock.advance(4);
    assert.deepEqual(wire.seqs(), [9, 10]);
    await clock.advance(1_000);
    assert.equal(store.gate.calls.length, 0);
  }
});
