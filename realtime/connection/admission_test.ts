import assert from "node:assert/strict";
import { numbers } from "../../tests/realtime/fakes.ts";
import { Admissions } from "./admission.ts";

const LIMITS = { maxSocketsPerUser: 2, maxSocketsPerAddress: 3 };

Deno.test("admit() refuses one more than a user may have, from whatever address", () => {
  const admissions = new Admissions(LIMITS);
  assert.ok(admissions.admit("alice", "1.1.1.1"));
  assert.ok(admissions.admit("alice", "2.2.2.2"));
  assert.equal(admissions.admit("alice", "3.3.3.3"), undefined);
  assert.ok(admissions.admit("bob", "1.1.1.1"));
});

Deno.test("admit() refuses one more than an address may have, for whatever user", () => {
  const admissions = new Admissions(LIMITS);
  for (const user of ["alice", "bob", "carol"]) {
    assert.ok(admissions.admit(user, "1.1.1.1"));
  }
  assert.equal(admissions.admit("dave", "1.1.1.1"), undefined);
  assert.ok(admissions.admit("dave", "2.2.2.2"));
});

Deno.test("release() gives one place back, however often it is called", () => {
  const admissions = new Admissions(LIMITS);
  const first = admissions.admit("alice", "1.1.1.1")!;
  admissions.admit("alice", "1.1.1.1");
  first.release();
  first.release();
  assert.ok(admissions.admit("alice", "1.1.1.1"));
  assert.equal(admissions.admit("alice", "1.1.1.1"), undefined);
});

Deno.test("a refusal takes no place", () => {
  const admissions = new Admissions(LIMITS);
  const places = numbers(1, 2).map(() => admissions.admit("alice", "1.1.1.1")!);
  for (const _ of numbers(1, 10)) admissions.admit("alice", "1.1.1.1");
  assert.ok(admissions.admit("bob", "1.1.1.1"), "the address has one left");
  for (const place of places) place.release();
  assert.ok(admissions.admit("alice", "1.1.1.1"));
});

Deno.test("a user and an address of the same name are told apart", () => {
  const admissions = new Admissions({
    maxSocketsPerUser: 1,
    maxSocketsPerAddress: 1,
  });
  assert.ok(admissions.admit("same", "other"));
  assert.ok(admissions.admit("someone", "same"));
});
