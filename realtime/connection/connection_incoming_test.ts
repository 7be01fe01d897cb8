import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createConnection } from "../../tests/realtime/fakes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";

Deno.test("receive() handles one frame after another, in order, however long each takes", async () => {
  const clock = createFakeClock();
  const log: string[] = [];
  const { connection } = createConnection(clock, {
    onFrame: (_, text) => {
      log.push(`begin ${text}`);
      if (text === "quick") return void log.push("end quick");
      return new Promise((resolve) =>
        clock.after(text === "slow" ? 100 : 10, () => {
          log.push(`end ${text}`);
          resolve();
        })
      );
    },
  });
  for (const text of ["slow", "quick", "faster", "quick"]) {
    connection.receive(text);
  }
  assert.deepEqual(log, ["begin slow"]);
  await clock.advance(200);
  assert.deepEqual(log, [
    ...["begin slow", "end slow", "begin quick", "end quick"],
    ...["begin faster", "end faster", "begin quick", "end quick"],
  ]);
});

Deno.test("receive() closes with 1009 on a frame above 16 KiB of UTF-8, and takes one of exactly that", () => {
  for (
    const [text, code] of [
      ["x".repeat(MAX_FRAME_BYTES), undefined],
      ["x".repeat(MAX_FRAME_BYTES + 1), 1009],
      ["é".repeat(MAX_FRAME_BYTES / 2), undefined],
      ["é".repeat(MAX_FRAME_BYTES / 2) + "x", 1009],
      ["😀".repeat(MAX_FRAME_BYTES / 4 + 1), 1009],
    ] as const
  ) {
    const taken: string[] = [];
    const { connection, wire } = createConnection(createFakeClock(), {
      onFrame: (_, text) => void taken.push(text),
    });
    connection.receive(text);
    assert.equal(wire.goodbyes[0]?.code, code);
    assert.equal(taken.length, code === undefined ? 1 : 0);
  }
});

Deno.test("receiveBinary() closes with 1003", () => {
  const { connection, wire } = createConnection(createFakeClock());
  connection.receiveBinary();
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [1003]);
});

Deno.test("receive() closes with 4429 past the burst, and refills at the sustained rate", async () => {
  const clock = createFakeClock();
  let taken = 0;
  const { connection, wire } = createConnection(clock, {
    frameLimit: { perSecond: 20, burst: 5 },
    onFrame: () => void taken++,
  });
  for (let n = 0; n < 5; n++) connection.receive("x");
  await clock.advance(99);
  connection.receive("x");
  await clock.advance(51);
  connection.receive("x");
  connection.receive("x");
  assert.equal(taken, 8);
  assert.equal(connection.closed, false);
  connection.receive("x");
  assert.equal(taken, 8);
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [4429]);
});

Deno.test("receive() never saves up more frames than the burst", async () => {
  const clock = createFakeClock();
  const { connection, wire } = createConnection(clock, {
    frameLimit: { perSecond: 20, burst: 5 },
  });
  await clock.advance(60_000);
  for (let n = 0; n < 5; n++) connection.receive("x");
  assert.equal(connection.closed, false);
  connection.receive("x");
  assert.equal(wire.goodbyes[0]?.code, 4429);
});

Deno.test("receive() gives nothing extra when the clock goes backwards", async () => {
  const clock = createFakeClock();
  let now = clock.now();
  const { connection, wire } = createConnection(clock, {
    frameLimit: { perSecond: 20, burst: 3 },
    clock: () => now,
  });
  for (let n = 0; n < 3; n++) connection.receive("x");
  now -= 3_600_000;
  connection.receive("x");
  await clock.advance(0);
  assert.equal(wire.goodbyes[0]?.code, 4429);
});

Deno.test("receive() closes with 4429 when more than 1 MiB of frames waits for a slow one", () => {
  const { connection, wire } = createConnection(createFakeClock(), {
    onFrame: () => new Promise(() => {}),
  });
  const frame = "x".repeat(MAX_FRAME_BYTES);
  for (let n = 0; n < 65; n++) connection.receive(frame);
  assert.equal(connection.closed, false);
  connection.receive("x");
  assert.deepEqual(wire.goodbyes.map(({ code }) => code), [4429]);
});

Deno.test("receiveAnswered() resolves with the frame's own answer, which the wire does not get", async () => {
  const { connection, wire } = createConnection(createFakeClock(), {
    onFrame: async (_, text, answer) => {
      await Promise.resolve();
      answer(text === "mute" ? undefined : `answer to ${text}`);
    },
  });
  const answers = await Promise.all(
    ["one", "mute", "two"].map((text) => connection.receiveAnswered(text)),
  );
  assert.deepEqual(answers, ["answer to one", undefined, "answer to two"]);
  assert.deepEqual(wire.frames, []);
});

Deno.test("receiveAnswered() resolves with undefined when the connection ends first", async () => {
  const { connection } = createConnection(createFakeClock(), {
    onFrame: () => new Promise(() => {}),
  });
  const handling = connection.receiveAnswered("handling");
  const waiting = connection.receiveAnswered("waiting");
  connection.lost();
  assert.equal(await handling, undefined);
  assert.equal(await waiting, undefined);
  assert.equal(await connection.receiveAnswered("late"), undefined);
});
