import assert from "node:assert/strict";
import { numbers } from "../../tests/realtime/fakes.ts";
import { memoryBroker } from "../cluster/memory_broker.ts";
import { ConnectionRegistry } from "./registry.ts";

function createRegistry(maxSocketsPerUser = 2, maxSocketsPerAddress = 3) {
  return new ConnectionRegistry({
    ...{ maxSocketsPerUser, maxSocketsPerAddress, broker: memoryBroker() },
  });
}

Deno.test("admit() refuses one more than a user may have, from whatever address", () => {
  const registry = createRegistry();
  assert.ok(registry.admit("alice", "1.1.1.1"));
  assert.ok(registry.admit("alice", "2.2.2.2"));
  assert.equal(registry.admit("alice", "3.3.3.3"), undefined);
  assert.ok(registry.admit("bob", "1.1.1.1"));
});

Deno.test("admit() refuses one more than an address may have, for whatever user", () => {
  const registry = createRegistry();
  for (const user of ["alice", "bob", "carol"]) {
    assert.ok(registry.admit(user, "1.1.1.1"));
  }
  assert.equal(registry.admit("dave", "1.1.1.1"), undefined);
  assert.ok(registry.admit("dave", "2.2.2.2"));
});

Deno.test("release() gives one place back, however often it is called", () => {
  const registry = createRegistry();
  const first = registry.admit("alice", "1.1.1.1")!;
  registry.admit("alice", "1.1.1.1");
  first.release();
  first.release();
  assert.ok(registry.admit("alice", "1.1.1.1"));
  assert.equal(registry.admit("alice", "1.1.1.1"), undefined);
});

Deno.test("a refusal takes no place", () => {
  const registry = createRegistry();
  const places = numbers(1, 2).map(() => registry.admit("alice", "1.1.1.1")!);
  for (const _ of numbers(1, 10)) registry.admit("alice", "1.1.1.1");
  assert.ok(registry.admit("bob", "1.1.1.1"), "the address has one left");
  for (const place of places) place.release();
  assert.ok(registry.admit("alice", "1.1.1.1"));
});

Deno.test("a user and an address of the same name are told apart", () => {
  const registry = createRegistry(1, 1);
  assert.ok(registry.admit("same", "other"));
  assert.ok(registry.admit("someone", "same"));
});
