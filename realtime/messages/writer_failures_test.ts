import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import {
  connectionLost,
  numbers,
  sqlError,
} from "../../tests/realtime/fakes.ts";
import {
  createTable,
  createWriter,
  SENDER,
} from "../../tests/realtime/writer_fakes.ts";
import { Writer } from "./writer.ts";

Deno.test("a message whose author is no member is refused, and the others of its batch are stored", async () => {
  const world = createWriter();
  world.table.foreign.add("b");
  const [one, two, three] = ["a", "b", "a"].map((room) => world.write(room));
  await world.clock.advance(0);
  await world.commit();
  assert.deepEqual(two!.now, { kind: "refused", code: "not_a_member" });
  assert.equal(one!.now?.kind, "stored");
  assert.equal(three!.now?.kind, "stored");
});

Deno.test("a write whose answer was lost is found as its own duplicate: published and acked as stored", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  await world.fail(connectionLost(), "stored");
  assert.deepEqual(world.told, []);
  await world.clock.advance(100);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
  assert.equal((result.now as { isDuplicate?: boolean }).isDuplicate, false);
});

Deno.test("a write goes on for as long as the database is away, if that is not too long", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  for (let tries = 0; tries < 45; tries++) {
    await world.fail(connectionLost());
    await world.clock.advance(100);
  }
  assert.equal(result.now, undefined);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
});

Deno.test("a message is refused as unavailable after 5 s, and its room is to be mended", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  while (world.gate.calls.length > 0) {
    await world.fail(connectionLost());
    await world.clock.advance(100);
  }
  assert.deepEqual(result.now, { kind: "refused", code: "unavailable" });
  assert.deepEqual(world.uncertain, ["a"]);
  await world.writer.idle();
  await world.clock.advance(1_000);
  assert.equal(world.clock.waiting, 0);
});

Deno.test("a statement that hangs refuses its messages after 5 s; stored late they are published all the same", async () => {
  const world = createWriter();
  const hanging = world.write("a");
  await world.clock.advance(0);
  const behind = world.write("a");
  await world.clock.advance(5_500);
  assert.deepEqual(hanging.now, { kind: "refused", code: "unavailable" });
  assert.deepEqual(behind.now, { kind: "refused", code: "unavailable" });
  await world.commit();
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    ["a:1"],
    "the one that only waited was not stored",
  );
  const retry = world.write("a", {
    clientMsgId: hanging.message.clientMsgId,
  });
  await world.clock.advance(0);
  await world.commit();
  assert.ok(retry.now?.kind === "stored" && retry.now.isDuplicate);
});

Deno.test("a message that waits behind a hanging statement keeps its own deadline", async () => {
  const world = createWriter();
  world.write("a");
  await world.clock.advance(4_000);
  const behind = world.write("a");
  await world.clock.advance(1_500);
  assert.equal(behind.now, undefined);
  await world.clock.advance(3_500);
  assert.deepEqual(behind.now, { kind: "refused", code: "unavailable" });
});

Deno.test("a conflict with another writer is tried again at once", async () => {
  for (const code of ["23505", "40001", "40P01"]) {
    const world = createWriter();
    const result = world.write("a");
    await world.clock.advance(0);
    await world.fail(sqlError(code));
    await world.commit();
    assert.equal(result.now?.kind, "stored", code);
  }
});

Deno.test("a message the database will not have is refused alone; the others of its batch are stored", async () => {
  const world = createWriter();
  const results = numbers(1, 5).map((n) =>
    world.write(n % 2 === 0 ? "b" : "a", { text: n === 3 ? "bad" : "good" })
  );
  await world.clock.advance(0);
  while (world.gate.calls.length > 0) {
    const [messages] = world.gate.calls[0]!.args;
    if (messages.some(({ text }) => text === "bad")) {
      await world.fail(sqlError("22P05"));
    } else await world.commit();
  }
  assert.deepEqual(results.map(({ now }) => now?.kind), [
    ...["stored", "stored", "refused", "stored", "stored"],
  ]);
  assert.deepEqual(results[2]!.now, { kind: "refused", code: "internal" });
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    ["a:1", "a:2"],
    "no number is spent on it",
  );
});

Deno.test("idle() resolves when nothing waits and nothing is on its way", async () => {
  const world = createWriter(1);
  await world.writer.idle();
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  let idle = false;
  world.writer.idle().then(() => idle = true);
  await world.clock.advance(0);
  await world.commit();
  assert.equal(idle, false);
  await world.commit();
  assert.equal(idle, true);
  await world.clock.advance(1_000);
  assert.equal(world.clock.waiting, 0, "no timer is left");
});

Deno.test("a publisher that throws loses no ack", async () => {
  const clock = createFakeClock();
  const table = createTable();
  let throws = true;
  const writer = new Writer({
    store: (messages, now) => Promise.resolve(table.store(messages, now)),
    onStored: () => {
      if (!throws) return;
      throws = false;
      throw new TypeError("a mistake");
    },
    onUncertain: () => {},
    lanes: 1,
    clock: clock.now,
    steadyClock: clock.now,
    timers: clock,
    log: silentLog,
  });
  const settled: string[] = [];
  for (const id of ["1", "2"]) {
    const message = { id, roomId: "a", userId: "u", clientMsgId: id, text: "" };
    writer.write(message, SENDER).then(({ kind }) => settled.push(kind));
  }
  await clock.advance(10_000);
  assert.deepEqual(settled, ["stored", "stored"]);
});
