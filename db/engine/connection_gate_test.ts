import assert from "node:assert/strict";
import { ConnectionGate } from "./connection_gate.ts";

class FullError extends Error {}

/** A server with room for so many connections, and a pool that keeps those it has opened. */
function fakeServer(room: number) {
  const server = {
    room,
    attempts: 0,
    /** Open connections, and how many of them nobody uses. */
    count: 0,
    idle: 0,
    mostInUse: 0,
    open: async () => {
      if (server.idle > 0) {
        server.idle--;
      } else {
        server.attempts++;
        server.count++;
        await Promise.resolve();
        if (server.count > server.room) {
          server.count--;
          throw new FullError("too many clients");
        }
      }
      server.mostInUse = Math.max(server.mostInUse, server.count - server.idle);
      return server;
    },
  };
  return server;
}

const gateTo = (
  server: ReturnType<typeof fakeServer>,
  { size = 10, waitMs = 60_000 } = {},
) =>
  new ConnectionGate({
    size,
    waitMs,
    open: server.open,
    isFull: (error) => error instanceof FullError,
    count: () => server.count,
  });

/** Uses a connection as a query does. */
async function use(
  gate: ReturnType<typeof gateTo>,
  server: ReturnType<typeof fakeServer>,
): Promise<void> {
  await gate.acquire();
  await new Promise((done) => setTimeout(done, 1));
  server.idle++;
  gate.release();
}

const atOnce = (count: number, call: () => Promise<void>) =>
  Promise.all(Array.from({ length: count }, call));

Deno.test("never more connections are in use than the gate's size", async () => {
  const server = fakeServer(100);
  const gate = gateTo(server, { size: 4 });
  await atOnce(50, () => use(gate, server));
  assert.equal(server.mostInUse, 4);
  assert.equal(gate.waiting, 0);
});

Deno.test("a server with room for fewer makes calls wait, and fails none", async () => {
  const server = fakeServer(3);
  const gate = gateTo(server);
  await atOnce(200, () => use(gate, server));
  assert.equal(server.mostInUse, 3);
  // It is not asked again for what it refused a moment ago.
  assert.ok(server.attempts < 150, `${server.attempts} attempts`);
});

Deno.test("calls wait for a server that has room for none, until it has", async () => {
  const server = fakeServer(0);
  const gate = gateTo(server);
  const calls = atOnce(5, () => use(gate, server));
  while (server.attempts < 11) await new Promise((done) => setTimeout(done, 5));
  server.room = 2;
  await calls;
  assert.equal(gate.waiting, 0);
});

Deno.test("a call that waited in vain fails with what the server said, or with a time-out", async () => {
  const full = gateTo(fakeServer(0), { waitMs: 20 });
  await assert.rejects(full.acquire(), FullError);
  const busy = gateTo(fakeServer(9), { size: 1, waitMs: 20 });
  await busy.acquire();
  await assert.rejects(busy.acquire(), /timeout/);
  assert.equal(busy.waiting, 0);
  busy.release();
  await busy.acquire();
});

Deno.test("another error fails its call alone and gives its place to the next", async () => {
  const errors = [new Error("wrong password")];
  const gate = new ConnectionGate({
    size: 1,
    waitMs: 60_000,
    open: () => {
      const error = errors.pop();
      return error ? Promise.reject(error) : Promise.resolve("connection");
    },
    isFull: () => false,
    count: () => 0,
  });
  const [first, second] = await Promise.allSettled([
    gate.acquire(),
    gate.acquire(),
  ]);
  assert.equal(first.status, "rejected");
  assert.equal(second.status, "fulfilled");
});
