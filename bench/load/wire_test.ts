import assert from "node:assert/strict";
import { sleep } from "./figures.ts";
import { MARK, Wire } from "./wire.ts";

/** Every kind of length header, and more than one read takes. */
const TEXTS = [10, 125, 126, 300, 65_535, 65_536, 200_000].map((length) =>
  (MARK + "x".repeat(length)).slice(0, length)
);

/** Sends all texts to whoever connects and echoes what comes. */
function serveTexts(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => TEXTS.forEach((text) => socket.send(text));
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    },
  );
}

async function openWire(port: number): Promise<Wire> {
  return await Wire.open({ port, path: "/", protocols: [] });
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries++) await sleep(10);
  assert.ok(isSo());
}

Deno.test("Wire counts the frames and marks of frames of every length without reading them as text", async () => {
  await using server = serveTexts();
  const wire = await openWire(server.addr.port);
  wire.listen();
  await until(() => wire.frames === TEXTS.length);
  assert.equal(wire.marks, TEXTS.length);
  wire.drop();
});

Deno.test("Wire gives frames of every length as the texts that were sent", async () => {
  await using server = serveTexts();
  const wire = await openWire(server.addr.port);
  const received: string[] = [];
  wire.onText = (text) => received.push(text);
  wire.listen();
  await until(() => received.length === TEXTS.length);
  assert.deepEqual(received, TEXTS);
  assert.equal(wire.marks, TEXTS.length);
  wire.drop();
});

Deno.test("Wire.send() is read by a server as it was written, whatever its length", async () => {
  await using server = serveTexts();
  const wire = await openWire(server.addr.port);
  const received: string[] = [];
  wire.onText = (text) => received.push(text);
  wire.listen();
  for (const text of TEXTS) wire.send(text);
  await until(() => received.length === 2 * TEXTS.length);
  assert.deepEqual(received.slice(TEXTS.length), TEXTS);
  wire.drop();
});
