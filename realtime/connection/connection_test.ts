import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createConnection } from "../../tests/realtime/fakes.ts";
import { Connection } from "./connection.ts";

const KIB = 1024;

/** A frame of so many bytes. */
const frameOf = (bytes: number, letter = "x") => ({
  text: letter.repeat(bytes),
  bytes,
});

Deno.test("send() hands over what a reading peer takes, at once and in order", () => {
  const { connection, wire } = createConnection(createFakeClock());
  for (const letter of ["a", "b", "c"]) connection.send(frameOf(2, letter));
  assert.deepEqual(wire.frames, ["aa", "bb", "cc"]);
  assert.equal(connection.waitingBytes, 0);
});

Deno.test("send() hands a peer that does not read little, keeps the rest in order and sends it when the peer reads", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  const frames = ["a", "b", "c", "d", "e", "f"].map((letter) =>
    frameOf(100 * KIB, letter)
  );
  for (const frame of frames) connection.send(frame);
  assert.equal(wire.frames.length, 3, "handed over up to 256 KiB");
  assert.equal(connection.waitingBytes, 600 * KIB);
  await clock.advance(1_000);
  assert.equal(wire.frames.length, 3);
  wire.reading = true;
  wire.take();
  await clock.advance(50);
  assert.deepEqual(wire.frames, frames.map(({ text }) => text));
  assert.equal(connection.waitingBytes, 0);
  assert.equal(clock.waiting, 0, "no timer is left");
});

Deno.test("send() keeps the order when new frames come while older ones wait", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  connection.send(frameOf(300 * KIB, "a"));
  connection.send(frameOf(1, "b"));
  wire.take();
  wire.reading = true;
  connection.send(frameOf(1, "c"));
  await clock.advance(20);
  connection.send(frameOf(1, "d"));
  assert.deepEqual(wire.frames.map((frame) => frame[0]), ["a", "b", "c", "d"]);
});

Deno.test("send() closes with 4408 when more than 1 MiB waits, and throws the queue away", async () => {
  const clock = createFakeClock();
  let ended = 0;
  const { connection, wire } = createConnection(clock, {
    onClosed: () => void ended++,
  });
  wire.reading = false;
  for (let n = 0; n < 16; n++) connection.send(frameOf(64 * KIB));
  assert.equal(connection.waitingBytes, 1024 * KIB);
  assert.equal(connection.closed, false, "exactly 1 MiB is allowed");
  connection.send(frameOf(1));
  assert.equal(connection.closed, true);
  assert.equal(ended, 1);
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [4408]);
  const handedOver = wire.frames.length;
  wire.reading = true;
  wire.take();
  await clock.advance(1_000);
  assert.equal(wire.frames.length, handedOver, "nothing is sent after");
  assert.equal(clock.waiting, 0);
});

Deno.test("send() counts bytes, not characters", () => {
  const { connection, wire } = createConnection(createFakeClock());
  wire.reading = false;
  connection.send(frameOf(256 * KIB));
  const text = "é".repeat(260 * KIB);
  connection.send({ text, bytes: 520 * KIB });
  assert.equal(connection.closed, false);
  connection.send({ text, bytes: 520 * KIB });
  assert.equal(wire.goodbyes[0]?.code, 4408);
});

Deno.test("answer() sends the acks of one turn in one frame and a single one alone", async () => {
  const { connection, wire } = createConnection(createFakeClock());
  connection.answer('{"ack":1}');
  connection.answer(undefined);
  connection.answer('{"ack":2}');
  await Promise.resolve();
  connection.answer('{"ack":3}');
  await Promise.resolve();
  assert.deepEqual(wire.frames, ['[{"ack":1},{"ack":2}]', '{"ack":3}']);
});

Deno.test("drained() resolves at once when little waits, and after the peer has read otherwise", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  await connection.drained();
  wire.reading = false;
  connection.send(frameOf(400 * KIB));
  let drained = 0;
  connection.drained().then(() => drained++);
  connection.drained().then(() => drained++);
  await clock.advance(500);
  assert.equal(drained, 0);
  wire.take(200 * KIB);
  await clock.advance(20);
  assert.equal(drained, 2);
  assert.equal(clock.waiting, 0, "nothing is left to give up");
});

Deno.test("drained() waits also for the little that was not handed over yet", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  connection.send(frameOf(400 * KIB));
  connection.send(frameOf(10, "a"));
  wire.take();
  let drained = 0;
  connection.drained().then(() => drained++);
  await clock.advance(0);
  assert.equal(drained, 0);
  await clock.advance(20);
  assert.equal(drained, 1);
  assert.equal(wire.frames.at(-1), "aaaaaaaaaa");
});

Deno.test("drained() resolves when the connection ends", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  connection.send(frameOf(400 * KIB));
  const drained = connection.drained();
  connection.lost();
  await drained;
  await connection.drained();
  assert.equal(clock.waiting, 0);
});

Deno.test("a wire that turns out to be lost while what waits is sent ends everything", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  connection.send(frameOf(400 * KIB));
  connection.send(frameOf(KIB));
  const drained = connection.drained();
  wire.send = () => {
    connection.lost();
    wire.buffered = () => 400 * KIB;
  };
  wire.take(400 * KIB);
  await clock.advance(20);
  await drained;
  assert.equal(clock.waiting, 0);
});

Deno.test("drained() closes a peer with 4408 that takes nothing for 30 s", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock);
  wire.reading = false;
  connection.send(frameOf(400 * KIB));
  const drained = connection.drained();
  await clock.advance(29_000);
  assert.equal(connection.closed, false);
  await clock.advance(1_000);
  await drained;
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [4408]);
  assert.equal(clock.waiting, 0);
});

Deno.test("close() ends once, whoever asks, and leaves the registry before it says goodbye", () => {
  const order: string[] = [];
  const { connection, wire } = createConnection(createFakeClock(), {
    onClosed: (connection) => {
      order.push(`registry, ${connection.closed ? "closed" : "open"}`);
      connection.close(1012, "again");
    },
  });
  const close = wire.close;
  wire.close = (code, reason) => {
    order.push("wire");
    close(code, reason);
  };
  connection.close(4401, "token expired");
  connection.close(1012, "restarting");
  connection.lost();
  connection.lost();
  assert.deepEqual(order, ["registry, closed", "wire"]);
  assert.deepEqual(wire.goodbyes, [{ code: 4401, reason: "token expired" }]);
});

Deno.test("a lost connection is ended once, without a goodbye", () => {
  let ended = 0;
  const { connection, wire } = createConnection(createFakeClock(), {
    onClosed: () => void ended++,
  });
  connection.lost();
  connection.lost();
  connection.close(1012, "restarting");
  assert.equal(ended, 1);
  assert.deepEqual(wire.goodbyes, []);
});

Deno.test("an ended connection sends nothing and looks at nothing that comes in", async () => {
  const clock = createFakeClock();
  const handled: string[] = [];
  const slow = Promise.withResolvers<void>();
  const { connection, wire } = createConnection(clock, {
    onFrame: (connection, text) => {
      handled.push(text);
      if (text === "slow") {
        return slow.promise.then(() => connection.answer('{"ack":1}'));
      }
    },
  });
  connection.receive("slow");
  connection.receive("waiting");
  connection.close(4401, "token expired");
  connection.receive("late");
  connection.receiveBinary();
  connection.send(frameOf(1));
  connection.sendEvent({ event: "hello", data: { connectionId: "x" } });
  slow.resolve();
  await clock.advance(1_000);
  assert.deepEqual(handled, ["slow"]);
  assert.deepEqual(wire.frames, []);
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [4401]);
});

Deno.test("a connection without a wire yet sends nothing and can be ended", () => {
  const clock = createFakeClock();
  const connection = new Connection({
    id: "id",
    user: { id: "user", username: "user" },
    issuedAt: 0,
    expiresAt: 0,
    frameLimit: { perSecond: 1, burst: 1 },
    clock: clock.now,
    timers: clock,
    onFrame: () => {},
    onClosed: () => {},
  });
  connection.send(frameOf(1));
  connection.close(1012, "restarting");
  assert.equal(connection.closed, true);
});
