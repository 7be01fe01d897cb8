import assert from "node:assert/strict";
import type { ServerEnvelope } from "../../../realtime/protocol/protocol.ts";
import { eventStreamTransport } from "./event_stream_transport.ts";
import { settle } from "../fakes.ts";

/** A server whose stream is written by the test and whose uploads are recorded. */
function setUp({ status = 200, uploadStatus = 200 } = {}) {
  const log: string[] = [];
  const received: ServerEnvelope[] = [];
  const uploads: { url: string; body: unknown }[] = [];
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const fetch = (url: string | URL | Request, init?: RequestInit) => {
    if (init?.method !== "POST") {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void (stream = controller),
      });
      return Promise.resolve(new Response(body, { status }));
    }
    const body = JSON.parse(String(init.body));
    uploads.push({ url: String(url), body });
    const ack = JSON.stringify({ ack: body.id, data: { success: true } });
    return Promise.resolve(new Response(ack, { status: uploadStatus }));
  };
  const transport = eventStreamTransport({ url: "/api/events", fetch })({
    opened: () => log.push("opened"),
    received: (envelopes) => received.push(...envelopes),
    closed: (code) => log.push(`closed ${code}`),
  });
  const write = async (text: string) => {
    stream?.enqueue(new TextEncoder().encode(text));
    await settle();
  };
  return {
    log,
    received,
    uploads,
    transport,
    write,
    end: () => stream?.close(),
  };
}

const hello = `data: {"event":"hello","data":{"connectionId":"a b"}}\n\n`;
const typing = `{"event":"error","data":{"code":"internal","message":"ü"}}`;

Deno.test("the event stream opens with hello and hands over events, however they are cut", async () => {
  const { log, received, transport, write } = setUp();
  await settle();
  await write(hello.slice(0, 20));
  assert.deepEqual(log, []);
  await write(hello.slice(20));
  assert.deepEqual(log, ["opened"]);
  await write(
    `: keep-alive\n\ndata: [${typing},${typing}]\r\n\r\ndata: ${typing}\n`,
  );
  assert.equal(received.length, 2);
  await write("\n");
  assert.equal(received.length, 3);
  transport.close();
});

Deno.test("an envelope is posted with the connection's id, and its answer is received", async () => {
  const { received, uploads, transport, write } = setUp();
  await settle();
  await write(hello);
  transport.send({ id: 1, event: "presence:ping", data: {} });
  transport.send({ id: 2, event: "presence:ping", data: {} });
  await settle();
  assert.deepEqual(
    uploads.map(({ url }) => url),
    Array(2).fill("/api/events?connection=a%20b"),
  );
  assert.deepEqual(
    received,
    [1, 2].map((ack) => ({ ack, data: { success: true } })),
  );
  transport.close();
});

Deno.test("an expired login is reported as such, by the stream and by an upload", async () => {
  const stream = setUp({ status: 401 });
  await settle();
  assert.deepEqual(stream.log, ["closed 4401"]);
  const upload = setUp({ uploadStatus: 401 });
  await settle();
  await upload.write(hello);
  upload.transport.send({ id: 1, event: "presence:ping", data: {} });
  await settle();
  assert.deepEqual(upload.log, ["opened", "closed 4401"]);
});

Deno.test("a stream refused because the cookie is another user's is reported as such", async () => {
  const { log } = setUp({ status: 412 });
  await settle();
  assert.deepEqual(log, ["closed 4412"]);
});

Deno.test("a stream that the server ends is closed with its code, once", async () => {
  const { log, received, write, end } = setUp();
  await settle();
  await write(hello);
  await write(
    'data: {"event":"close","data":{"code":4403,"reason":"removed"}}\n\n',
  );
  end();
  await settle();
  assert.deepEqual(log, ["opened", "closed 4403"]);
  assert.deepEqual(received, []);
});

Deno.test("a stream that ends is a lost line, reported once; one we close is not reported", async () => {
  const ended = setUp();
  await settle();
  await ended.write(hello);
  ended.end();
  await settle();
  assert.deepEqual(ended.log, ["opened", "closed 1006"]);
  const closed = setUp();
  await settle();
  closed.transport.close();
  await settle();
  assert.deepEqual(closed.log, []);
});
