import assert from "node:assert/strict";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { stoppableTimers, systemTimers } from "./timers.ts";

Deno.test("systemTimers run once after the time, or not at all when called off", async () => {
  const ran: string[] = [];
  const cancel = systemTimers.after(1, () => ran.push("called off"));
  cancel();
  cancel();
  await new Promise<void>((resolve) => {
    systemTimers.after(1, () => ran.push("first"));
    systemTimers.after(5, resolve);
  });
  assert.deepEqual(ran, ["first"]);
});

Deno.test("stop() calls off every timer that waits, and none that has run", async () => {
  const clock = createFakeClock();
  const timers = stoppableTimers(clock);
  const ran: string[] = [];
  timers.after(10, () => ran.push("early"));
  timers.after(100, () => ran.push("late"));
  timers.after(50, () => ran.push("called off"))();
  await clock.advance(20);
  timers.stop();
  assert.equal(clock.waiting, 0);
  await clock.advance(1_000);
  assert.deepEqual(ran, ["early"]);
});

Deno.test("a timer that is set after stop() does not wait", () => {
  const clock = createFakeClock();
  const timers = stoppableTimers(clock);
  timers.stop();
  timers.after(10, () => assert.fail())();
  timers.after(10, () => assert.fail());
  assert.equal(clock.waiting, 0);
});

Deno.test("a timer that sets the next one is stopped too", async () => {
  const clock = createFakeClock();
  const timers = stoppableTimers(clock);
  let beats = 0;
  const beat = () => {
    beats++;
    timers.after(10, beat);
  };
  beat();
  await clock.advance(35);
  timers.stop();
  await clock.advance(1_000);
  assert.equal(beats, 4);
});
