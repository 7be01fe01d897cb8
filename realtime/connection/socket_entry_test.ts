import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { SocketEntry } from "./socket_entry.ts";

/** The part of a native WebSocket that an entry uses. */
class FakeSocket {
  readyState: number = WebSocket.CONNECTING;
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly closes: number[] = [];
  open() {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }
  close(code: number) {
    this.readyState = WebSocket.CLOSING;
    this.closes.push(code);
  }
}

function createEntry(maxFrames = 3) {
  const clock = createFakeClock();
  const socket = new FakeSocket();
  const calls: string[] = [];
  const entry = new SocketEntry(socket as unknown as WebSocket, {
    maxFrames,
    timers: clock,
    fail: (error) => calls.push(String(error)),
    onOpened: () => calls.push("opened"),
    onEnded: (code) => calls.push(code === undefined ? "ended" : `${code}`),
  });
  const events = {
    onText: (text: string) => void calls.push(text),
    onBinary: () => void calls.push("binary"),
    onClosed: () => void calls.push("closed"),
  };
  return { clock, socket, calls, entry, events };
}

Deno.test("letIn() gives the connection what was held, in order, and then what comes", () => {
  const { socket, calls, entry, events } = createEntry();
  socket.open();
  socket.onmessage!({ data: "one" });
  socket.onmessage!({ data: new Blob() });
  socket.onmessage!({ data: "two" });
  assert.deepEqual(calls, ["opened"], "nothing is passed on before");
  entry.letIn(events).begin();
  socket.onmessage!({ data: "three" });
  socket.onclose!();
  assert.deepEqual(
    calls,
    ["opened", "one", "binary", "two", "three", "closed"],
  );
});

Deno.test("a held frame that fails is told, and the next one is passed on", () => {
  const { socket, calls, entry, events } = createEntry();
  socket.open();
  socket.onmessage!({ data: new Blob() });
  socket.onmessage!({ data: "two" });
  const onBinary = () => {
    throw new Error("a mistake");
  };
  entry.letIn({ ...events, onBinary }).begin();
  assert.deepEqual(calls, ["opened", "Error: a mistake", "two"]);
});

Deno.test("refuse() ends the entry at once, and closes when what is on its way has been read", async () => {
  const { clock, socket, calls, entry } = createEntry();
  socket.open();
  entry.refuse({ code: 4401, reason: "signed out" });
  entry.refuse({ code: 1012, reason: "restarting" });
  assert.deepEqual(calls, ["opened", "4401"]);
  assert.equal(entry.over, true);
  assert.equal(socket.onmessage, null);
  await clock.advance(200);
  assert.deepEqual(socket.closes, [4401]);
});

Deno.test("a client that sends more than may be held is closed with 4429, by frames and by length", async () => {
  for (const text of ["", "x".repeat(600_000)]) {
    const { clock, socket, calls } = createEntry(100);
    socket.open();
    for (let n = 0; n <= 100; n++) socket.onmessage?.({ data: text });
    await clock.advance(200);
    assert.deepEqual([calls, socket.closes], [["opened", "4429"], [4429]]);
  }
});

Deno.test("a socket that goes away, or never opens, ends its entry once", async () => {
  const opened = createEntry();
  opened.socket.open();
  opened.socket.onerror!();
  opened.socket.onclose!();
  await opened.entry.opened;
  assert.deepEqual(opened.calls, ["opened", "ended"]);

  const abandoned = createEntry();
  abandoned.socket.onerror!();
  abandoned.socket.onclose!();
  await abandoned.entry.opened;
  assert.deepEqual(abandoned.calls, ["ended"]);
});

Deno.test("expire() ends what has not opened; should it open later it is told to come back", () => {
  const { socket, calls, entry } = createEntry();
  entry.expire();
  assert.deepEqual(calls, ["ended"]);
  socket.open();
  assert.deepEqual(socket.closes, [1012]);

  const punctual = createEntry();
  punctual.socket.open();
  punctual.entry.expire();
  assert.equal(punctual.entry.over, false);
});
