import assert from "node:assert/strict";
import { Random } from "./random.ts";

const draw = (random: Random) =>
  Array.from({ length: 20 }, () => random.int(1, 1000));

Deno.test("Random gives the same numbers for the same seed, others for another", () => {
  assert.deepEqual(draw(new Random(7)), draw(new Random(7)));
  assert.notDeepEqual(draw(new Random(7)), draw(new Random(8)));
});

Deno.test("Random.fork() depends on seed and name, not on what was drawn before", () => {
  const used = new Random(7);
  draw(used);
  assert.deepEqual(draw(used.fork("a")), draw(new Random(7).fork("a")));
  assert.notDeepEqual(draw(used.fork("a")), draw(used.fork("b")));
});

Deno.test("Random spreads evenly and keeps its bounds", () => {
  const random = new Random(1);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 40_000; i++) counts[random.int(0, 3)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500);
  const items = Array.from({ length: 50 }, (_, index) => index);
  const shuffled = random.shuffle(items);
  assert.notDeepEqual(shuffled, items);
  assert.deepEqual(shuffled.toSorted((a, b) => a - b), items);
});
