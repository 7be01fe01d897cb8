import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import {
  createProcesses,
  isPresence,
} from "../../tests/realtime/shared_presence_fakes.ts";
import { memoryBroker } from "../cluster/memory_broker.ts";
import { SharedPresence } from "./shared_presence.ts";

Deno.test("who comes online and goes offline in one process does so in the others, once", async () => {
  const { pass, processes: [a, b, c] } = createProcesses(3);
  await pass(1_000);
  a.set("alice", true);
  a.set("bob", true);
  await pass(200);
  for (const each of [a, b, c]) {
    assert.deepEqual(each.changed(), ["alice+", "bob+"]);
  }
  b.set("carol", true);
  a.set("alice", false);
  await pass(200);
  assert.deepEqual(a.changed(), ["alice-", "carol+"]);
  assert.deepEqual(b.changed(), ["carol+", "alice-"]);
  assert.deepEqual(c.changed().sort(), ["alice-", "carol+"]);
  await pass(60_000);
  for (const each of [a, b, c]) {
    assert.equal(each.sees("alice", "bob", "carol"), "bob carol");
    assert.deepEqual(each.changed(), []);
    assert.deepEqual(each.failures, []);
  }
});

Deno.test("changes of 100 ms are told together, the newest state of each user", async () => {
  const { pass, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  for (let n = 0; n < 51; n++) a.set("alice", n % 2 === 0);
  a.set("bob", true);
  a.set("bob", false);
  await pass(200);
  const told = a.broker.told.map(({ signal }) => signal).filter(isPresence);
  assert.deepEqual(told.map(({ number, changes }) => ({ number, changes })), [
    { number: 2, changes: { online: ["alice"], offline: ["bob"] } },
  ]);
  assert.deepEqual(b.changed(), ["alice+"]);
});

Deno.test("a user with a socket in two processes is online until the last is gone", async () => {
  const { pass, processes: [a, b, c] } = createProcesses(3);
  await pass(1_000);
  a.set("alice", true);
  b.set("alice", true);
  await pass(200);
  for (const each of [a, b, c]) assert.deepEqual(each.changed(), ["alice+"]);
  a.set("alice", false);
  await pass(200);
  for (const each of [a, b, c]) assert.deepEqual(each.changed(), []);
  assert.equal(a.sees("alice"), "alice");
  b.set("alice", false);
  await pass(200);
  for (const each of [a, b, c]) assert.deepEqual(each.changed(), ["alice-"]);
});

Deno.test("a process that starts knows at once who is online elsewhere", async () => {
  const { pass, clock, start, processes: [a] } = createProcesses(1);
  a.set("alice", true);
  await pass(1_000);
  const late = start();
  late.set("bob", true);
  await clock.advance(20);
  assert.equal(late.sees("alice"), "alice");
  await pass(200);
  assert.equal(a.sees("bob"), "bob");
});

Deno.test("what was lost on the way is read with the next that comes", async () => {
  const { pass, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  brokers.delay = (signal) => isPresence(signal) ? undefined : 1;
  a.set("alice", false);
  a.set("bob", true);
  await pass(200);
  assert.equal(b.sees("alice", "bob"), "alice");
  brokers.delay = () => 1;
  a.set("carol", true);
  await pass(200);
  assert.equal(b.sees("alice", "bob", "carol"), "bob carol");
});

Deno.test("what was lost on the way is read with the next sign of life when nothing else comes", async () => {
  const { pass, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  brokers.delay = (signal) => isPresence(signal) ? undefined : 1;
  a.set("alice", true);
  await pass(5_000);
  assert.equal(b.sees("alice"), "alice");
  assert.deepEqual(b.changed(), ["alice+"]);
});

Deno.test("what comes out of order or twice ends in what is true", async () => {
  const { pass, clock, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  const delays = [150, 1, 40, 250, 1];
  let told = 0;
  brokers.delay = (signal) =>
    isPresence(signal) ? delays[told++ % delays.length] : 1;
  for (let round = 0; round < 10; round++) {
    a.set("alice", round % 2 === 0);
    a.set(`user ${round}`, true);
    await clock.advance(101);
  }
  await clock.advance(400);
  const first = a.broker.told.map(({ signal }) => signal).find(isPresence)!;
  b.presence.changedElsewhere(first.from, first.number, first.changes);
  await clock.advance(10);
  assert.equal(b.sees("alice"), "");
  for (let round = 0; round < 10; round++) {
    assert.equal(b.sees(`user ${round}`), `user ${round}`);
  }
});

Deno.test("what is told twice, or later than what came after it, is not read for again", async () => {
  const { pass, clock, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  const reads = countReads(b.broker);
  const [signal] = a.broker.told.map(({ signal }) => signal).filter(
    isPresence,
  );
  const { from, number, changes } = signal!;
  b.presence.changedElsewhere(from, number, changes);
  b.presence.alive(from, number - 1);
  await clock.advance(10);
  assert.equal(reads.count, 0);
  assert.equal(b.sees("alice"), "alice");
});

/** Counts from now on how often a process reads the users of another. */
function countReads(
  { shared }: ReturnType<typeof createProcesses>["processes"][0]["broker"],
) {
  const reads = { count: 0 };
  const listOnline = shared.listOnline;
  shared.listOnline = (name) => {
    reads.count++;
    return listOnline(name);
  };
  return reads;
}

Deno.test("what is told while a process's users are being read is known as soon as they are", async () => {
  const { pass, clock, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  let lost = 1;
  brokers.delay = (signal) => isPresence(signal) && lost-- > 0 ? undefined : 1;
  // Reading takes longer than the next changes need.
  const { shared } = b.broker;
  const listOnline = shared.listOnline;
  shared.listOnline = async (name) => {
    const users = await listOnline(name);
    await new Promise<void>((resolve) => void clock.after(150, resolve));
    return users;
  };
  for (const userId of ["lost", "read", "meanwhile"]) {
    a.set(userId, true);
    await clock.advance(102);
  }
  await clock.advance(400);
  assert.equal(b.sees("lost", "read", "meanwhile"), "lost read meanwhile");
});

Deno.test("a process that dies takes its users with it after 15 s, and no other's", async () => {
  const { pass, processes: [a, b, c] } = createProcesses(3);
  await pass(1_000);
  a.set("alice", true);
  a.set("both", true);
  b.set("both", true);
  await pass(200);
  a.die();
  await pass(10_000);
  assert.equal(c.sees("alice", "both"), "alice both");
  await pass(10_000);
  for (const each of [b, c]) {
    assert.equal(each.sees("alice", "both"), "both");
    assert.equal(each.changed().at(-1), "alice-");
  }
});

Deno.test("a process that ends in order takes its users with it at once", async () => {
  const { pass, clock, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  await Promise.all([a.presence.leave(), clock.advance(10)]);
  assert.equal(b.sees("alice"), "");
  assert.deepEqual([...brokers.online.get(a.broker.processId)!], []);
});

Deno.test("a process that was silent for long and is back has its users again", async () => {
  const { pass, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  const { processId } = a.broker;
  brokers.delay = (_, from) => from === processId ? undefined : 1;
  await pass(20_000);
  assert.equal(b.sees("alice"), "");
  brokers.delay = () => 1;
  await pass(6_000);
  assert.equal(b.sees("alice"), "alice");
});

Deno.test("a process without others tells nobody and waits for nothing", async () => {
  const clock = createFakeClock();
  const changes: string[] = [];
  const presence = new SharedPresence({
    broker: memoryBroker(),
    isOnlineHere: () => true,
    onlineHere: () => [],
    onChange: (userId) => changes.push(userId),
    clock: clock.now,
    timers: clock,
    fail: () => assert.fail(),
  });
  presence.changedHere("alice", true);
  presence.sweep();
  await presence.leave();
  assert.deepEqual(changes, ["alice"]);
  assert.equal(clock.waiting, 0);
});
