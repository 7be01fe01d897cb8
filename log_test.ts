import assert from "node:assert/strict";
import { createLog, errorFields, type LogLevel } from "./log.ts";

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
