import assert from "node:assert/strict";
import { FakeClock } from "../fakes.ts";
import { WRITE_DELAY_MS, WriteBehind } from "./write_behind.ts";

function setUp() {
  const clock = new FakeClock();
  let writes = 0;
  const writing = new WriteBehind(clock, () => writes++);
  return { clock, writing, writes: () => writes };
}

Deno.test("changes within a second are one write", async () => {
  const { clock, writing, writes } = setUp();
  writing.request();
  await clock.advance(WRITE_DELAY_MS - 1);
  writing.request();
  assert.equal(writes(), 0);
  await clock.advance(1);
  assert.equal(writes(), 1);
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(writes(), 1);
  writing.request();
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(writes(), 2);
});

Deno.test("flush() writes at once what waits, and nothing when nothing does", async () => {
  const { clock, writing, writes } = setUp();
  writing.flush();
  assert.equal(writes(), 0);
  writing.request();
  writing.flush();
  assert.equal(writes(), 1);
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(writes(), 1);
});

Deno.test("what was cancelled is not written", async () => {
  const { clock, writing, writes } = setUp();
  writing.request();
  writing.cancel();
  await clock.advance(WRITE_DELAY_MS);
  writing.flush();
  assert.equal(writes(), 0);
});
