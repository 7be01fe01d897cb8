import assert from "node:assert/strict";
import {
  connectionLost,
  createHub,
  createMessage,
  createMessages,
  createStore,
  numbers,
} from "../../tests/realtime/fakes.ts";

const ROOM = "room";

Deno.test("publish() mends a gap from the database before it delivers what comes after", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 4);
  store.stored.push(...createMessages(1, 7));
  feed.publish([createMessage(7)]);
  feed.publish([createMessage(8)]);
  store.stored.push(createMessage(8));
  assert.deepEqual(wire.seqs(), []);
  assert.deepEqual(store.gate.calls[0]?.args, [ROOM, 4, 100]);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6, 7, 8]);
});

Deno.test("publish() mends a gap of several pages", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 10);
  store.stored.push(...createMessages(1, 260));
  feed.publish([createMessage(260)]);
  while (store.gate.calls.length > 0) {
    store.answer();
    await world.clock.advance(4);
  }
  assert.deepEqual(wire.seqs(), numbers(11, 260));
});

Deno.test("publish() delivers in order what comes while a gap is mended, also past a second gap", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 1);
  store.stored.push(...createMessages(1, 3));
  feed.publish([createMessage(3)]);
  feed.publish([createMessage(6)]);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [2, 3]);
  store.stored.push(...createMessages(4, 6));
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [2, 3, 4, 5, 6]);
});

Deno.test("mend() delivers a message whose write was lost, and a late publish of it changes nothing", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 4);
  store.stored.push(...createMessages(1, 5));
  feed.mend();
  feed.mend();
  assert.equal(store.gate.calls.length, 1, "one reading at a time");
  store.answer();
  await world.clock.advance(4);
  store.answer();
  feed.publish([createMessage(5)]);
  feed.publish([createMessage(6)]);
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
});

Deno.test("mend() reads once more when it is asked during a reading that may be too early", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 4);
  feed.mend();
  const { resolve } = store.gate.next();
  store.stored.push(createMessage(5));
  feed.mend();
  resolve([]);
  await world.clock.advance(4);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5]);
  assert.equal(store.gate.calls.length, 0);
});

Deno.test("expect() delivers a message that was stored unseen, and reads nothing otherwise", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 4);
  feed.publish([createMessage(5)]);
  feed.expect(3);
  feed.expect(5);
  assert.equal(store.gate.calls.length, 0);
  store.stored.push(...createMessages(1, 6));
  feed.expect(6);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
});

Deno.test("mend() goes on until the database answers", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { wire, feed } = world.subscribe(ROOM, 4);
  store.stored.push(...createMessages(1, 5));
  feed.mend();
  for (let failures = 0; failures < 3; failures++) {
    store.gate.next().reject(connectionLost());
    await world.clock.advance(499);
    assert.equal(store.gate.calls.length, 0, "it waits before it asks again");
    await world.clock.advance(1);
  }
  feed.publish([createMessage(6)]);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
});

Deno.test("mend() ends when nobody follows any more", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { connection, feed } = world.subscribe(ROOM, 4);
  feed.mend();
  connection.lost();
  store.gate.next().reject(connectionLost());
  await world.clock.advance(60_000);
  assert.equal(store.gate.calls.length, 0);
  assert.equal(world.clock.waiting, 0);
});

Deno.test("mend() of a feed that does not know where the room stands waits for the first catch-up", async () => {
  const store = createStore();
  const world = createHub({ readAfter: store.gate.call });
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.mend();
  assert.equal(store.gate.calls.length, 0);
  store.stored.push(...createMessages(1, 5));
  feed.release(subscription, 4, 4);
  store.answer();
  await world.clock.advance(4);
  assert.deepEqual(wire.seqs(), [5]);
});
