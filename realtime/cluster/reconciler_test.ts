import assert from "node:assert/strict";
import type { MembershipKey } from "../../db/memberships.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import {
  createBrokers,
  type FakeBroker,
} from "../../tests/realtime/fake_broker.ts";
import {
  connectionLost,
  createGate,
  createHub,
  createMessage,
  createMessages,
  createStore,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import type { Broker } from "./broker.ts";
import { memoryBroker } from "./memory_broker.ts";
import type { ChangedMessages } from "../rooms/change_feed.ts";
import { Reconciler } from "./reconciler.ts";

const ROOM = "room";

function createReconciler<B extends Broker = FakeBroker>(
  make: (brokers: ReturnType<typeof createBrokers>) => B = (brokers) =>
    brokers.join() as Broker as B,
) {
  const clock = createFakeClock();
  const broker = make(createBrokers(clock));
  const store = createStore();
  const changed = createGate<[string, number, number], ChangedMessages>();
  const world = createHub({
    broker,
    readAfter: store.gate.call,
    readChanged: changed.call,
    clock: clock.now,
    timers: clock,
  });
  const newest = createGate<
    [readonly string[]],
    { id: string; last_seq: number; last_rev: number }[]
  >();
  const missing = createGate<[readonly MembershipKey[]], MembershipKey[]>();
  const ended: MembershipKey[] = [];
  const failures: unknown[] = [];
  const shrunk: string[] = [];
  const state = { isDone: false };
  const reconciler = new Reconciler({
    hub: world.hub,
    broker,
    newestOf: newest.call,
    missingAmong: missing.call,
    onShrunk: (roomId, known) => shrunk.push(`${roomId} ${known}`),
    checkHistory: () => Promise.resolve(),
    onMissing: (key) => ended.push(key),
    isDone: () => state.isDone,
    timers: clock,
    fail: (error) => failures.push(error),
  });
  return {
    ...{ ...world, world, clock, broker, store, changed, newest },
    ...{ missing, ended, shrunk },
    ...{ failures, state, reconciler },
    /** Answers whatever is asked, for a time. How often newest numbers and memberships were asked for. */
    async pass(ms: number) {
      const asked = { newest: 0, missing: 0 };
      for (let passed = 0; passed < ms; passed += 10) {
        await clock.advance(10);
        for (; newest.calls.length > 0; asked.newest++) {
          newest.next().resolve([]);
          await clock.advance(0);
        }
        for (; missing.calls.length > 0; asked.missing++) {
          missing.next().resolve([]);
          await clock.advance(0);
        }
      }
      return asked;
    },
  };
}

Deno.test("a message that was told elsewhere and not heard is delivered within 5 s", async () => {
  const { world, clock, store, newest, reconciler } = createReconciler();
  const { wire } = world.subscribe(ROOM, 4);
  world.subscribe("quiet", 7);
  store.stored.push(...createMessages(1, 6));
  reconciler.start();
  await clock.advance(5_000);
  const { args: [roomIds], resolve } = newest.next();
  assert.deepEqual(roomIds, [ROOM, "quiet"]);
  resolve([
    { id: ROOM, last_seq: 6, last_rev: 0 },
    { id: "quiet", last_seq: 7, last_rev: 0 },
  ]);
  await clock.advance(0);
  assert.deepEqual(store.gate.calls.map(({ args }) => args), [[ROOM, 4, 100]]);
  store.answer();
  await clock.advance(4);
  assert.deepEqual(wire.seqs(), [5, 6]);
});

Deno.test("a change that was told elsewhere and not heard is delivered within 5 s", async () => {
  const { world, clock, newest, changed, reconciler } = createReconciler();
  const { wire } = world.subscribe(ROOM, 4);
  reconciler.start();
  await clock.advance(5_000);
  newest.next().resolve([{ id: ROOM, last_seq: 4, last_rev: 2 }]);
  await clock.advance(0);
  const { args, resolve } = changed.next();
  assert.deepEqual(args, [ROOM, 0, 100]);
  const message = { ...createMessage(3), text: "edited", rev: 2 };
  resolve({ lastRev: 2, messages: [message] });
  await clock.advance(0);
  assert.deepEqual(wire.events("room:changes"), [
    { roomId: ROOM, prevRev: 0, rev: 2, messages: [message] },
  ]);
});

Deno.test("a room that was left while it was asked for is no error", async () => {
  const { world, clock, newest, failures, reconciler } = createReconciler();
  const { connection } = world.subscribe(ROOM, 4);
  reconciler.start();
  await clock.advance(5_000);
  connection.lost();
  newest.next().resolve([{ id: ROOM, last_seq: 6, last_rev: 0 }]);
  await clock.advance(0);
  assert.deepEqual(failures, []);
});

Deno.test("2,500 rooms are asked for in three statements, one after another", async () => {
  const { world, clock, newest, missing, reconciler } = createReconciler();
  const user = createUser();
  const { connection } = world.connect(user);
  for (const n of numbers(1, 2_500)) {
    const { feed, subscription } = world.hub.hold(connection, `room ${n}`);
    feed.release(subscription, 0, 0);
  }
  reconciler.start();
  await clock.advance(5_000);
  for (const gate of [newest, missing]) {
    for (const length of [1_000, 1_000, 500]) {
      assert.equal(gate.calls.length, 1);
      const { args: [asked], resolve } = gate.next();
      assert.equal(asked.length, length);
      resolve([]);
      await clock.advance(0);
    }
  }
  assert.equal(newest.calls.length + missing.calls.length, 0);
});

Deno.test("memberships that have ended are found, one of each user and room, in every third round", async () => {
  const { world, clock, newest, missing, ended, pass, reconciler } =
    createReconciler();
  const [alice, bob] = [createUser("alice"), createUser("bob")];
  world.subscribe(ROOM, 0, alice);
  world.subscribe(ROOM, 0, alice);
  world.subscribe(ROOM, 0, bob);
  reconciler.start();
  await clock.advance(5_000);
  newest.next().resolve([]);
  await clock.advance(0);
  const { args: [keys], resolve } = missing.next();
  assert.deepEqual(keys, [
    { userId: alice.id, roomId: ROOM },
    { userId: bob.id, roomId: ROOM },
  ]);
  resolve([{ userId: bob.id, roomId: ROOM }]);
  await clock.advance(0);
  assert.deepEqual(ended, [{ userId: bob.id, roomId: ROOM }]);
  assert.deepEqual(await pass(2 * 5_000), { newest: 2, missing: 0 });
  assert.deepEqual(await pass(5_000), { newest: 1, missing: 1 });
});

Deno.test("who has not been let in yet is not taken for a member whose membership ended", async () => {
  const { world, clock, newest, missing, reconciler } = createReconciler();
  world.hub.hold(world.connect().connection, ROOM);
  reconciler.start();
  await clock.advance(5_000);
  newest.next().resolve([]);
  await clock.advance(0);
  assert.equal(missing.calls.length, 0);
});

Deno.test("while the broker is away newest numbers are asked for every second", async () => {
  const { world, broker, pass, reconciler } = createReconciler();
  world.subscribe(ROOM);
  reconciler.start();
  assert.equal((await pass(20_000)).newest, 4);
  broker.goDown();
  reconciler.now();
  assert.equal((await pass(20_000)).newest, 20);
  broker.comeUp();
  reconciler.now();
  assert.equal((await pass(20_500)).newest, 5, "the first at once");
});

Deno.test("now() looks at once, at memberships too, and the next time is counted from then", async () => {
  const { world, pass, reconciler } = createReconciler();
  world.subscribe(ROOM);
  reconciler.start();
  await pass(7_000);
  reconciler.now();
  assert.deepEqual(await pass(10), { newest: 1, missing: 1 });
  assert.deepEqual(await pass(4_900), { newest: 0, missing: 0 });
  assert.deepEqual(await pass(100), { newest: 1, missing: 0 });
});

Deno.test("now() while a look is on its way looks once more: the first may have been too early", async () => {
  const { world, clock, newest, missing, pass, reconciler } =
    createReconciler();
  world.subscribe(ROOM);
  reconciler.start();
  await clock.advance(5_000);
  reconciler.now();
  reconciler.now();
  assert.equal(newest.calls.length, 1, "one at a time");
  newest.next().resolve([]);
  await clock.advance(0);
  missing.next().resolve([]);
  await clock.advance(0);
  assert.equal(newest.calls.length, 1);
  assert.deepEqual(await pass(4_000), { newest: 1, missing: 1 });
});

Deno.test("a look that takes long is not overtaken by the next", async () => {
  const { world, clock, newest, reconciler } = createReconciler();
  world.subscribe(ROOM);
  reconciler.start();
  await clock.advance(60_000);
  assert.equal(newest.calls.length, 1);
});

Deno.test("a look that fails says so, and the next comes in its time", async () => {
  const { world, clock, newest, failures, reconciler } = createReconciler();
  world.subscribe(ROOM);
  reconciler.start();
  for (const times of [1, 2, 3]) {
    await clock.advance(5_000);
    newest.next().reject(connectionLost());
    await clock.advance(0);
    assert.equal(failures.length, times);
  }
});

Deno.test("nothing is asked for where nobody is connected, and nothing any more when the process ends", async () => {
  const { clock, pass, state, reconciler } = createReconciler();
  reconciler.start();
  assert.deepEqual(await pass(60_000), { newest: 0, missing: 0 });
  state.isDone = true;
  await pass(5_000);
  assert.equal(clock.waiting, 0);
});

Deno.test("a process without others does not look at all", () => {
  const { world, clock, reconciler } = createReconciler(() => memoryBroker());
  world.subscribe(ROOM);
  reconciler.start();
  assert.equal(clock.waiting, 0);
});

Deno.test("a room that has fewer messages than were shown is noticed, one that has got more meanwhile is not", async () => {
  const { world, clock, newest, missing, shrunk, reconciler } =
    createReconciler();
  const { feed } = world.subscribe(ROOM, 4);
  reconciler.start();
  await clock.advance(5_000);
  feed.publish([createMessage(5)]);
  newest.next().resolve([{ id: ROOM, last_seq: 4, last_rev: 0 }]);
  await clock.advance(0);
  assert.deepEqual(shrunk, []);
  missing.next().resolve([]);
  await clock.advance(5_000);
  newest.next().resolve([{ id: ROOM, last_seq: 4, last_rev: 0 }]);
  await clock.advance(0);
  assert.deepEqual(shrunk, [`${ROOM} 5`]);
});
