import { effect } from "@preact/signals";
import assert from "node:assert/strict";
import { FakeClock } from "../fakes.ts";
import { TypingMarks, TypingSignal } from "./typing.ts";

const ada = { id: "1", username: "ada" };
const bob = { id: "2", username: "bob" };

Deno.test("a typing mark ends by itself after five seconds without a refresh", async () => {
  const clock = new FakeClock();
  const marks = new TypingMarks(clock);
  marks.set(ada, true);
  await clock.advance(4000);
  marks.set(ada, true);
  marks.set(bob, true);
  await clock.advance(4999);
  assert.deepEqual(marks.names, ["ada", "bob"]);
  await clock.advance(1);
  assert.deepEqual(marks.names, []);
});

Deno.test("TypingMarks announces a change only when someone starts or stops", () => {
  const marks = new TypingMarks(new FakeClock());
  // The first run is that of the effect itself.
  let changes = -1;
  const stop = effect(() => {
    marks.names;
    changes++;
  });
  marks.set(ada, true);
  marks.set(ada, true);
  marks.set(bob, false);
  assert.equal(changes, 1);
  marks.set(ada, false);
  assert.equal(changes, 2);
  stop();
});

Deno.test("TypingSignal announces at most every three seconds, and the end once", async () => {
  const clock = new FakeClock();
  const announced: boolean[] = [];
  const signal = new TypingSignal(
    clock,
    (isTyping) => announced.push(isTyping),
  );
  for (let keys = 0; keys < 12; keys++) {
    signal.changed("text");
    await clock.advance(500);
  }
  assert.deepEqual(announced, [true, true]);
  signal.changed("");
  signal.stop();
  assert.deepEqual(announced, [true, true, false]);
});

Deno.test("TypingSignal ends by itself when the keys rest", async () => {
  const clock = new FakeClock();
  const announced: boolean[] = [];
  const signal = new TypingSignal(
    clock,
    (isTyping) => announced.push(isTyping),
  );
  signal.changed("text");
  await clock.advance(5000);
  assert.deepEqual(announced, [true, false]);
});
