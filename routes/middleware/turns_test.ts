import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

/** Lets promises that can settle do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("two of a key run at once, the others in the order in which they came", async () => {
  const turns = new Turns(2);
  const begun: string[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    void Promise.resolve(turns.take("key")).then(() => begun.push(name));
  }
  await settle();
  assert.deepEqual(begun, ["a", "b"]);
  turns.give("key");
  await settle();
  assert.deepEqual(begun, ["a", "b", "c"]);
  turns.give("key");
  await settle();
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
});

Deno.test("one key does not wait for another, and nothing is left of those that are done", () => {
  const turns = new Turns(1);
  assert.equal(turns.take("a"), undefined);
  assert.equal(turns.take("b"), undefined);
  turns.give("a");
  turns.give("b");
  assert.equal(turns.size, 0);
});
