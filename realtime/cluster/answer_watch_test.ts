import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import { AnswerWatch, RedisAwayError } from "./answer_watch.ts";

/** A watch over questions that are answered when the test says so. */
function createWatch() {
  const clock = createFakeClock();
  const watch = new AnswerWatch(clock.now, clock);
  const asked = createGate<[string], string>();
  const ended: string[] = [];
  return {
    ...{ clock, watch, asked, ended },
    ask(question: string) {
      watch.answer(asked.call(question)).then(
        (answer) => ended.push(`${question}: ${answer}`),
        (error) =>
          ended.push(
            `${question}: ${
              error instanceof RedisAwayError ? "away" : error.message
            }`,
          ),
      );
    },
  };
}

Deno.test("answer() gives what is answered in time, an error too", async () => {
  const { clock, watch, asked, ended, ask } = createWatch();
  ask("one");
  ask("two");
  await clock.advance(499);
  asked.next().resolve("yes");
  asked.next().reject(new Error("no"));
  await clock.advance(1_000);
  assert.deepEqual(ended, ["one: yes", "two: no"]);
  assert.equal(watch.isLate, false);
  assert.equal(clock.waiting, 0, "it looks no longer than something waits");
});

Deno.test("answer() gives up within a second, and with the first all that wait behind it, in order", async () => {
  const { clock, watch, ended, ask } = createWatch();
  ask("one");
  await clock.advance(1);
  for (const question of ["two", "three"]) ask(question);
  await clock.advance(498);
  ask("four");
  assert.deepEqual(ended, []);
  await clock.advance(1);
  assert.deepEqual(ended, [
    "one: away",
    "two: away",
    "three: away",
    "four: away",
  ]);
  assert.equal(watch.isLate, true);
});

Deno.test("answer() that was asked after a look is given up at most a second later", async () => {
  const { clock, asked, ended, ask } = createWatch();
  ask("one");
  await clock.advance(1);
  ask("two");
  asked.next().resolve("yes");
  await clock.advance(998);
  assert.deepEqual(ended, ["one: yes"]);
  await clock.advance(1);
  assert.deepEqual(ended, ["one: yes", "two: away"]);
});

Deno.test("an answer that comes too late changes nothing but that answers are in time again", async () => {
  const { clock, watch, asked, ended, ask } = createWatch();
  ask("one");
  ask("two");
  await clock.advance(500);
  assert.equal(watch.isLate, true);
  asked.next().reject(new Error("the line broke"));
  await clock.advance(0);
  assert.equal(watch.isLate, true, "that was no answer");
  asked.next().resolve("late");
  await clock.advance(0);
  assert.equal(watch.isLate, false);
  assert.deepEqual(ended, ["one: away", "two: away"]);
  ask("three");
  await clock.advance(10);
  asked.next().resolve("yes");
  await clock.advance(1_000);
  assert.equal(ended.at(-1), "three: yes");
  assert.equal(clock.waiting, 0);
});

Deno.test("while answers are late nothing is waited for longer than half a second, also what was just asked", async () => {
  const { clock, ended, ask } = createWatch();
  ask("one");
  await clock.advance(500);
  ask("two");
  await clock.advance(400);
  ask("three");
  await clock.advance(100);
  assert.deepEqual(ended, ["one: away", "two: away", "three: away"]);
  assert.equal(clock.waiting, 0);
});

Deno.test("stop() looks no longer", async () => {
  const { clock, asked, ended, watch, ask } = createWatch();
  watch.stop();
  ask("one");
  watch.stop();
  assert.equal(clock.waiting, 0);
  asked.next().reject(new Error("closed"));
  await clock.advance(0);
  assert.deepEqual(ended, ["one: closed"]);
});
