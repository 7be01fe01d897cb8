import assert from "node:assert/strict";
import { createGate } from "../tests/realtime/fakes.ts";
import { Turns } from "./turns.ts";

/** Lets promises that can settle do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

function createTurns(atOnce: number) {
  const turns = new Turns(atOnce);
  const work = createGate<[string], string>();
  return {
    ...{ turns, work },
    run: (key: string, name: string) => turns.run(key, () => work.call(name)),
    /** What runs now, in the order in which it began. */
    running: () => work.calls.map(({ args: [name] }) => name),
    async endNext() {
      const { args: [name], resolve } = work.next();
      resolve(name);
      await settle();
    },
  };
}

Deno.test("two of a key run at once, the others in the order in which they came", async () => {
  const { run, running, endNext } = createTurns(2);
  const results = ["a", "b", "c", "d"].map((name) => run("key", name));
  await settle();
  assert.deepEqual(running(), ["a", "b"]);
  await endNext();
  assert.deepEqual(running(), ["b", "c"]);
  await endNext();
  assert.deepEqual(running(), ["c", "d"]);
  await endNext();
  await endNext();
  assert.deepEqual(await Promise.all(results), ["a", "b", "c", "d"]);
});

Deno.test("one key does not wait for another, and nothing is left of those that are done", async () => {
  const { turns, run, running, endNext } = createTurns(1);
  const results = [run("a", "a"), run("b", "b")];
  assert.deepEqual(running(), ["a", "b"], "both begin at once");
  assert.equal(turns.size, 2);
  await endNext();
  await endNext();
  await Promise.all(results);
  assert.equal(turns.size, 0);
});

Deno.test("work that fails ends its turn, and its caller is told", async () => {
  const { turns, work, run, running, endNext } = createTurns(1);
  const failing = run("key", "a");
  const waiting = run("key", "b");
  work.next().reject(new Error("the database is away"));
  await assert.rejects(failing, /away/);
  await settle();
  assert.deepEqual(running(), ["b"]);
  await endNext();
  await waiting;
  assert.equal(turns.size, 0);
});
