import assert from "node:assert/strict";
import { createLogWriter } from "./log_writer.ts";

/** An output that takes so many bytes at once, or fails, and may be stalled. */
function createOutput(mostBytes = Infinity) {
  let text = "";
  let isFailing = false;
  let stalled: PromiseWithResolvers<void> | undefined;
  return {
    get text() {
      return text;
    },
    fail: (failing: boolean) => isFailing = failing,
    stall: () => stalled = Promise.withResolvers(),
    async write(bytes: Uint8Array) {
      await stalled?.promise;
      if (isFailing) throw new Error("no space left on device");
      const taken = bytes.subarray(0, mostBytes);
      text += new TextDecoder().decode(taken);
      return taken.length;
    },
  };
}

Deno.test("lines are written in order, however little is taken at once", async () => {
  const output = createOutput(3);
  const writer = createLogWriter(output);
  for (const line of ["one", "two", "", "three"]) writer.write(line);
  await writer.flush();
  writer.write("four");
  await writer.flush();
  assert.equal(output.text, "one\ntwo\n\nthree\nfour\n");
  assert.equal(writer.dropped(), 0);
});

Deno.test("lines that cannot be written are dropped and counted, and the next ones are written", async () => {
  const output = createOutput();
  const writer = createLogWriter(output);
  output.fail(true);
  for (const line of ["one", "two", "three"]) writer.write(line);
  await writer.flush();
  assert.equal(writer.dropped(), 3);
  output.fail(false);
  writer.write("four");
  await writer.flush();
  assert.equal(output.text, "four\n");
});

Deno.test("a line that broke off does not swallow the next one", async () => {
  let text = "";
  let left = 5;
  const writer = createLogWriter({
    write(bytes) {
      if (left === 0) return Promise.reject(new Error("full"));
      const taken = bytes.subarray(0, left);
      left -= taken.length;
      text += new TextDecoder().decode(taken);
      return Promise.resolve(taken.length);
    },
  });
  writer.write("long line");
  await writer.flush();
  left = Infinity;
  writer.write("next");
  await writer.flush();
  assert.equal(text, "long \nnext\n");
  assert.equal(writer.dropped(), 1);
});

Deno.test("while the reader stalls a bounded number of lines waits, the others are dropped", async () => {
  const output = createOutput();
  const stalled = output.stall();
  const writer = createLogWriter(output);
  const line = "x".repeat(1023);
  for (let n = 0; n < 5_000; n++) writer.write(line);
  // The first one was on its way already, alone.
  assert.equal(writer.dropped(), 5_000 - 1_024 - 1);
  stalled.resolve();
  await writer.flush();
  assert.equal(output.text.length, 1_025 * 1_024);
});
