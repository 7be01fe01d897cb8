import assert from "node:assert/strict";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { createGate, numbers } from "../tests/realtime/fakes.ts";
import { GroupedCalls } from "./grouped_calls.ts";

/** Calls that give back each item, marked, when the test says so. */
function createCalls() {
  const clock = createFakeClock();
  const gate = createGate<[string, readonly number[]], string[]>();
  const calls = new GroupedCalls<number, string>(gate.call);
  const ended: string[] = [];
  return {
    ...{ gate, ended },
    call(group: string, item: number) {
      calls.call(group, item).then(
        (result) => ended.push(result),
        (error) => ended.push(`${item}: ${error.message}`),
      );
    },
    /** Answers the oldest call. @returns its items */
    async answer() {
      const { args: [group, items], resolve } = gate.next();
      resolve(items.map((item) => `${group} ${item}`));
      await clock.advance(0);
      return items;
    },
    async fail(message: string) {
      gate.next().reject(new Error(message));
      await clock.advance(0);
    },
  };
}

Deno.test("call() goes at once when it is alone; what comes meanwhile goes together, in order", async () => {
  const { gate, ended, call, answer } = createCalls();
  for (const item of [1, 2, 3]) call("room", item);
  assert.equal(gate.calls.length, 1);
  assert.deepEqual(await answer(), [1]);
  call("room", 4);
  assert.deepEqual(await answer(), [2, 3]);
  assert.deepEqual(await answer(), [4]);
  assert.deepEqual(ended, ["room 1", "room 2", "room 3", "room 4"]);
  call("room", 5);
  assert.deepEqual(await answer(), [5]);
});

Deno.test("groups do not wait for one another", async () => {
  const { gate, call, answer } = createCalls();
  call("one", 1);
  call("two", 2);
  call("one", 3);
  assert.equal(gate.calls.length, 2);
  assert.deepEqual(await answer(), [1]);
  assert.deepEqual(await answer(), [2]);
  assert.deepEqual(await answer(), [3]);
});

Deno.test("a call that fails fails for its items only, and in order with those before and after", async () => {
  const { ended, call, answer, fail } = createCalls();
  for (const item of [1, 2, 3]) call("room", item);
  await answer();
  call("room", 4);
  await fail("away");
  await answer();
  assert.deepEqual(ended, ["room 1", "2: away", "3: away", "room 4"]);
});

Deno.test("at most 200 items go in one call", async () => {
  const { ended, call, answer } = createCalls();
  for (const item of numbers(1, 500)) call("room", item);
  const sizes: number[] = [];
  while (ended.length < 500) sizes.push((await answer()).length);
  assert.deepEqual(sizes, [1, 200, 200, 99]);
  assert.deepEqual(ended, numbers(1, 500).map((item) => `room ${item}`));
});
