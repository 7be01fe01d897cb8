import assert from "node:assert/strict";
import { numbers } from "../../tests/realtime/fakes.ts";
import { createWriter } from "../../tests/realtime/writer_fakes.ts";

Deno.test("write() stores the messages of one turn in one statement, of all rooms", async () => {
  const world = createWriter();
  for (const room of ["a", "b", "a"]) world.write(room);
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aab"]);
  await world.commit();
  assert.deepEqual(world.told, [
    ...["a:1", "a:2", "b:1"],
    ...["ack a:1", "ack a:2", "ack b:1"],
  ]);
  assert.equal(world.gate.calls.length, 0);
});

Deno.test("write() gathers the answers to a batch of several; a lone sender never waits", async () => {
  const world = createWriter();
  world.write("a");
  await world.clock.advance(0);
  await world.commit();
  world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a"], "at once after a batch of one");

  for (let n = 0; n < 3; n++) world.write("a");
  await world.commit();
  assert.deepEqual(world.waiting(), ["aaa"]);
  await world.commit();
  for (let n = 0; n < 2; n++) {
    world.write("a");
    await world.clock.advance(0.5);
  }
  assert.deepEqual(world.waiting(), [], "their next messages are still coming");
  world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aaa"], "at once when all are there");

  await world.commit();
  world.write("a");
  await world.clock.advance(1.9);
  assert.deepEqual(world.waiting(), []);
  await world.clock.advance(0.1);
  assert.deepEqual(world.waiting(), ["a"], "nor longer than two milliseconds");
});

Deno.test("write() counts who waited during a batch among those to be gathered", async () => {
  const world = createWriter(1);
  for (let n = 0; n < 3; n++) world.write("a");
  await world.clock.advance(0);
  world.write("a");
  await world.commit();
  for (let n = 0; n < 2; n++) world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), [], "one of four is missing");
  world.write("b");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aaab"]);
});

Deno.test("write() publishes before it acks, and only after the commit", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(1_000);
  assert.deepEqual(world.told, []);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
  assert.deepEqual(result.now, {
    kind: "stored",
    messageId: result.message.id,
    seq: 1,
    createdAt: [...world.table.rows.values()][0]!.at.toISOString(),
    isDuplicate: false,
  });
});

Deno.test("write() has a room in one statement at a time, while other rooms go on", async () => {
  const world = createWriter(2);
  world.write("a");
  await world.clock.advance(0);
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  await world.clock.advance(0);
  world.write("c");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a", "b"], "two lanes, and a is busy");
  await world.commit();
  assert.deepEqual(world.waiting(), ["b", "ac"]);
});

Deno.test("write() has one statement on its way with one lane", async () => {
  const world = createWriter(1);
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  world.write("c");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a"]);
  await world.commit();
  assert.deepEqual(world.waiting(), ["bc"]);
});

Deno.test("write() publishes each room in order of seq, however the rows come back", async () => {
  const world = createWriter();
  for (const _ of numbers(1, 5)) world.write("a");
  await world.clock.advance(0);
  const { args: [messages, now], resolve } = world.gate.next();
  resolve(world.table.store(messages, now).reverse());
  await world.clock.advance(0);
  assert.deepEqual(
    world.told.slice(0, 5),
    numbers(1, 5).map((seq) => `a:${seq}`),
  );
});

Deno.test("write() puts at most 500 messages into a statement", async () => {
  const world = createWriter();
  for (const _ of numbers(1, 1_100)) world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(
    [await world.commit(), await world.commit(), await world.commit()],
    [500, 500, 100],
  );
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    numbers(1, 1_100).map((seq) => `a:${seq}`),
  );
});

Deno.test("a room that fills every statement does not keep the others waiting", async () => {
  const world = createWriter(1);
  for (const _ of numbers(1, 600)) world.write("a");
  await world.clock.advance(0);
  const quiet = world.write("b");
  for (const _ of numbers(1, 2_000)) world.write("a");
  await world.commit();
  await world.commit();
  await world.commit();
  assert.equal(quiet.now?.kind, "stored");
});

Deno.test("a duplicate is acked with the first message's place and not published", async () => {
  const world = createWriter();
  const first = world.write("a", { clientMsgId: "same" });
  await world.clock.advance(0);
  await world.commit();
  world.told.length = 0;
  const again = world.write("a", { clientMsgId: "same" });
  await world.clock.advance(0);
  await world.commit();
  assert.deepEqual(world.told, ["ack a:1"]);
  assert.deepEqual(again.now, { ...first.now, isDuplicate: true });
});
