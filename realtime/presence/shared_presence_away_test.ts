import assert from "node:assert/strict";
import { createProcesses } from "../../tests/realtime/shared_presence_fakes.ts";

Deno.test("while Redis is away nobody goes offline for it; after a restart without its data all is as it was", async () => {
  const { pass, clock, brokers, processes: [a, b, c] } = createProcesses(3);
  await pass(1_000);
  a.set("alice", true);
  b.set("bob", true);
  await pass(200);
  for (const { broker } of [a, b, c]) broker.goDown();
  brokers.online.clear();
  await pass(60_000);
  a.set("alice", false);
  a.set("anna", true);
  await pass(1_000);
  for (const each of [b, c]) {
    assert.equal(each.sees("alice", "bob"), "alice bob");
  }
  for (const each of [a, b, c]) each.changed();
  // They find it one after another, and look for dead ones before the others have said a word.
  for (const { broker } of [c, a, b]) {
    broker.comeUp();
    for (const { presence } of [a, b, c]) presence.sweep();
    await clock.advance(30);
  }
  await pass(1_000);
  for (const each of [a, b, c]) {
    assert.equal(each.sees("alice", "anna", "bob"), "anna bob");
  }
  for (const each of [b, c]) {
    assert.deepEqual(each.changed().sort(), ["alice-", "anna+"], "only those");
  }
  await pass(60_000);
  for (const each of [a, b, c]) {
    assert.equal(each.sees("alice", "anna", "bob"), "anna bob");
  }
});

Deno.test("data that Redis loses without being away is noted anew within 5 s", async () => {
  const { pass, brokers, start, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  brokers.online.clear();
  await pass(5_000);
  const late = start();
  await pass(200);
  for (const each of [b, late]) assert.equal(each.sees("alice"), "alice");
});

Deno.test("data that Redis loses is noted anew as a whole when a change was noted since", async () => {
  const { pass, brokers, start, processes: [a] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  brokers.online.clear();
  a.set("bob", true);
  await pass(6_000);
  const late = start();
  await pass(200);
  assert.equal(late.sees("alice", "bob"), "alice bob");
});

Deno.test("changes that met a slow Redis, which never was away, are known to all within 5 s", async () => {
  const { pass, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("bob", true);
  await pass(200);
  brokers.isSlow = true;
  a.set("alice", true);
  a.set("bob", false);
  await pass(300);
  brokers.isSlow = false;
  assert.equal(b.sees("alice", "bob"), "bob");
  await pass(6_000);
  assert.equal(b.sees("alice", "bob"), "alice");
});

Deno.test("a note that could not be made when Redis came back is made within 5 s", async () => {
  const { pass, brokers, processes: [a, b] } = createProcesses(2);
  await pass(1_000);
  a.set("alice", true);
  await pass(200);
  a.broker.goDown();
  a.set("alice", false);
  await pass(1_000);
  brokers.isSlow = true;
  const { replaceOnline } = a.broker.shared;
  a.broker.shared.replaceOnline = () => Promise.reject(new Error("slow"));
  a.broker.comeUp();
  await pass(1_000);
  assert.equal(a.failures.length, 1);
  brokers.isSlow = false;
  a.broker.shared.replaceOnline = replaceOnline;
  await pass(6_000);
  assert.equal(b.sees("alice"), "");
});
