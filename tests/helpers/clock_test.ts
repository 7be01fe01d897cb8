import assert from "node:assert/strict";
import { createFakeClock } from "./clock.ts";

Deno.test("advance() runs timers in order, each at its own moment", async () => {
  const clock = createFakeClock(1000);
  const seen: [string, number][] = [];
  clock.after(50, () => seen.push(["late", clock.now()]));
  clock.after(10, () => {
    seen.push(["early", clock.now()]);
    clock.after(10, () => seen.push(["set by early", clock.now()]));
  });
  await clock.advance(30);
  assert.deepEqual(seen, [["early", 1010], ["set by early", 1020]]);
  assert.equal(clock.now(), 1030);
  await clock.advance(20);
  assert.deepEqual(seen[2], ["late", 1050]);
});

Deno.test("advance() does not run a timer that was called off", async () => {
  const clock = createFakeClock();
  const callOff = clock.after(5, () => assert.fail("it ran"));
  callOff();
  await clock.advance(10);
  assert.equal(clock.waiting, 0);
});

Deno.test("advance() sees a timer that is set after an await", async () => {
  const clock = createFakeClock(0);
  const ticks: number[] = [];
  clock.after(10, async () => {
    await Promise.resolve();
    clock.after(10, () => ticks.push(clock.now()));
  });
  await clock.advance(100);
  assert.deepEqual(ticks, [20]);
});
