import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { CloseCode } from "../protocol/close_codes.ts";
import { sseTransport } from "./sse_transport.ts";

function createStream() {
  const clock = createFakeClock();
  let ended = 0;
  const { transport, body } = sseTransport({ onClosed: () => ended++ }, clock);
  return {
    clock,
    transport,
    body,
    ended: () => ended,
  };
}

/** Reads the next chunk as text; undefined at the end. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string | undefined> {
  const { value } = await reader.read();
  return value && new TextDecoder().decode(value);
}

Deno.test("send() writes one event a frame", async () => {
  const { transport, body } = createStream();
  transport.send('{"event":"hello"}');
  transport.send('[{"a":"line\\nbreak"}]');
  const reader = body.getReader();
  assert.equal(await read(reader), 'data: {"event":"hello"}\n\n');
  assert.equal(await read(reader), 'data: [{"a":"line\\nbreak"}]\n\n');
  await reader.cancel();
});

Deno.test("buffered() counts the bytes that the reader has not taken", async () => {
  const { transport, body } = createStream();
  assert.equal(transport.buffered(), 0);
  transport.send("é".repeat(1_000));
  assert.equal(transport.buffered(), 2_008);
  transport.send("x".repeat(500_000));
  assert.ok(transport.buffered() > 500_000, "also past what the stream holds");
  const reader = body.getReader();
  await read(reader);
  await read(reader);
  assert.equal(transport.buffered(), 0);
  await reader.cancel();
});

Deno.test("a quiet stream gets a comment every 15 s, one whose reader takes nothing gets none", async () => {
  const { clock, transport, body } = createStream();
  await clock.advance(15_000);
  assert.equal(transport.buffered(), 3);
  await clock.advance(30_000);
  assert.equal(transport.buffered(), 9);
  transport.send("x".repeat(300_000));
  const stalled = transport.buffered();
  await clock.advance(600_000);
  assert.equal(transport.buffered(), stalled);
  await body.cancel();
  assert.equal(clock.waiting, 0);
});

Deno.test("close() says code and reason as an event, ends the stream and is final", async () => {
  const { clock, transport, body, ended } = createStream();
  transport.send("first");
  transport.close(CloseCode.restart, "restarting");
  transport.close(CloseCode.tooSlow, "again");
  transport.send("late");
  assert.equal(clock.waiting, 0, "no more comments");
  const reader = body.getReader();
  const received = [];
  for (let text = await read(reader); text; text = await read(reader)) {
    received.push(text);
  }
  assert.deepEqual(received, [
    "data: first\n\n",
    'data: {"event":"close","data":{"code":1012,"reason":"restarting"}}\n\n',
  ]);
  assert.equal(ended(), 0);
});

Deno.test("close() of a stream whose reader takes nothing frees what waits", async () => {
  const { transport, body } = createStream();
  transport.send("x".repeat(300_000));
  transport.close(CloseCode.tooSlow, "the client reads too slowly");
  await assert.rejects(body.getReader().read(), /too slowly/);
});

Deno.test("a reader that goes away ends the stream once, and sending is no error after it", async () => {
  const { clock, transport, body, ended } = createStream();
  await body.cancel();
  assert.equal(ended(), 1);
  transport.send("late");
  transport.close(CloseCode.restart, "restarting");
  await clock.advance(60_000);
  assert.equal(ended(), 1);
  assert.equal(clock.waiting, 0);
});

/** As the runtime does when it finds only while writing that the peer has gone: it cancels within `enqueue`. */
function cancelWhileWriting(body: ReadableStream<Uint8Array>): Disposable {
  const prototype = ReadableStreamDefaultController.prototype;
  const { enqueue } = prototype;
  prototype.enqueue = function (chunk) {
    enqueue.call(this, chunk);
    body.cancel();
  };
  return {
    [Symbol.dispose]() {
      prototype.enqueue = enqueue;
    },
  };
}

Deno.test("close() of a stream whose reader turns out to be gone is no error", () => {
  const { clock, transport, body, ended } = createStream();
  using _ = cancelWhileWriting(body);
  transport.close(CloseCode.restart, "restarting");
  assert.equal(ended(), 1);
  assert.equal(clock.waiting, 0);
});

Deno.test("a comment that finds the reader gone is the last one", async () => {
  const { clock, body, ended } = createStream();
  using _ = cancelWhileWriting(body);
  await clock.advance(60_000);
  assert.equal(ended(), 1);
  assert.equal(clock.waiting, 0);
});
