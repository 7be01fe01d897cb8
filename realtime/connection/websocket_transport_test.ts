import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { CloseCode } from "../protocol/close_codes.ts";
import { webSocketTransport } from "./websocket_transport.ts";

/** The part of a native WebSocket that a transport uses. */
class FakeSocket {
  readyState: number = WebSocket.OPEN;
  bufferedAmount = 0;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: string[] = [];
  readonly closes: number[] = [];
  send(text: string) {
    this.sent.push(text);
  }
  close(code: number) {
    this.readyState = WebSocket.CLOSING;
    this.closes.push(code);
  }
}

function createTransport(onText: (text: string) => void = () => {}) {
  const clock = createFakeClock();
  const socket = new FakeSocket();
  const told: string[] = [];
  const failures: unknown[] = [];
  const transport = webSocketTransport(
    socket as unknown as WebSocket,
    {
      onText: (text) => {
        told.push(text);
        onText(text);
      },
      onBinary: () => told.push("binary"),
      onClosed: () => told.push("closed"),
    },
    clock,
    (error) => failures.push(error),
  );
  return { clock, socket, transport, told, failures };
}

Deno.test("a socket's events are told: text, anything else, and the end however it comes", () => {
  const { socket, told } = createTransport();
  socket.onmessage!({ data: "text" });
  socket.onmessage!({ data: new Blob() });
  socket.onmessage!({ data: new ArrayBuffer(1) });
  socket.onerror!();
  socket.onclose!();
  assert.deepEqual(told, ["text", "binary", "binary", "closed", "closed"]);
});

Deno.test("an exception in an event is told and goes no further: thrown on it would end the process", () => {
  const { socket, failures } = createTransport(() => {
    throw new Error("a mistake");
  });
  socket.onmessage!({ data: "text" });
  assert.match(String(failures[0]), /a mistake/);
});

Deno.test("send() does nothing on a socket that is not open", () => {
  const { socket, transport } = createTransport();
  transport.send("open");
  socket.readyState = WebSocket.CLOSING;
  transport.send("closing");
  assert.deepEqual(socket.sent, ["open"]);
});

Deno.test("close() for what the server decides is at once, for what the client sends it waits for the rest", async () => {
  for (const code of Object.values(CloseCode)) {
    const { clock, socket, transport, told } = createTransport();
    transport.close(code, "reason");
    socket.onmessage?.({ data: "late" });
    assert.deepEqual(told, [], "nothing that comes later is told");
    const lingers = [1003, 1009, 4429].includes(code);
    assert.deepEqual(socket.closes, lingers ? [] : [code]);
    await clock.advance(1_000);
    assert.deepEqual(socket.closes, [code]);
  }
});

Deno.test("close() of a socket that the peer has closed does nothing", async () => {
  const { clock, socket, transport } = createTransport();
  transport.close(CloseCode.tooManyFrames, "too many frames");
  socket.readyState = WebSocket.CLOSED;
  await clock.advance(1_000);
  transport.close(CloseCode.restart, "restarting");
  assert.deepEqual(socket.closes, []);
});

Deno.test("isAnswering() vouches for an open socket that no data waits for, as the runtime's pings are behind it", () => {
  const { socket, transport } = createTransport();
  assert.equal(transport.isAnswering(), true);
  socket.bufferedAmount = 1;
  assert.equal(transport.isAnswering(), false);
  socket.bufferedAmount = 0;
  socket.readyState = WebSocket.CLOSING;
  assert.equal(transport.isAnswering(), false);
});
