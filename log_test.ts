import assert from "node:assert/strict";
import {
  createLog,
  createLogWriter,
  errorFields,
  type LogLevel,
} from "./log.ts";

function writer(level: LogLevel, json: boolean) {
  const lines: string[] = [];
  const log = createLog({
    level,
    json,
    clock: () => Date.UTC(2026, 2, 1, 12, 30, 15, 7),
    write: (line) => void lines.push(line),
  });
  return { log, lines };
}

Deno.test("createLog() writes its level and those above, nothing below", () => {
  const { log, lines } = writer("warn", true);
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  assert.deepEqual(lines.map((line) => JSON.parse(line).level), [
    "warn",
    "error",
  ]);
});

Deno.test("createLog() writes one JSON object a line for machines", () => {
  const { log, lines } = writer("info", true);
  log.info("joined\nroom", { room: "r1", count: 2 });
  assert.equal(lines.length, 1);
  assert.ok(!lines[0]!.includes("\n"));
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: "2026-03-01T12:30:15.007Z",
    level: "info",
    message: "joined\nroom",
    room: "r1",
    count: 2,
  });
});

Deno.test("createLog() writes a readable line for people", () => {
  const { log, lines } = writer("info", false);
  log.info("listening", { port: 3000, url: "http://x" });
  assert.deepEqual(lines, [
    "12:30:15.007 info  listening port=3000 url=http://x",
  ]);
});

Deno.test("createLog() lets no value forge a line or drive the terminal", () => {
  const { log, lines } = writer("info", false);
  log.info("name", {
    name: "a\n12:00:00.000 error fake\r\u001b[2J\u0085\u009b\u007f",
  });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /\p{Cc}/u);
});

Deno.test("createLog() takes fields that JSON cannot hold", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const json of [true, false]) {
    const { log, lines } = writer("info", json);
    log.info("odd", { big: 10n, circular });
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /odd/);
  }
});

Deno.test("createLog() keeps time, level and message when a field has such a name", () => {
  const { log, lines } = writer("info", true);
  log.info("real", { message: "fake", level: "error", time: "never" });
  const line = JSON.parse(lines[0]!);
  assert.equal(line.message, "real");
  assert.equal(line.level, "info");
});

Deno.test("errorFields() gives an error's name, message, code and stack", () => {
  const error = Object.assign(new TypeError("broken"), { code: "23505" });
  const { stack, ...fields } = errorFields(error);
  assert.deepEqual(fields, { error: "TypeError: broken", errorCode: "23505" });
  assert.match(String(stack), /log_test/);
  assert.deepEqual(errorFields("just text"), { error: "just text" });
});

Deno.test("createLog() puts a stack below its readable line", () => {
  const { log, lines } = writer("info", false);
  log.error("failed", errorFields(new Error("broken")));
  const [first, ...stack] = lines[0]!.split("\n");
  assert.match(first!, /error failed error=Error: broken/);
  assert.match(stack[1]!, /^ +at /);
});

Deno.test("createLog() tells of a line that cannot be written, and throws at nobody", () => {
  let dropped = 0;
  const log = createLog({
    level: "info",
    json: true,
    clock: () => 0,
    write: () => {
      throw new Error("no space left on device");
    },
    onDropped: () => dropped++,
  });
  log.info("one");
  log.error("two");
  log.debug("not written anyway");
  assert.equal(dropped, 2);
});

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
