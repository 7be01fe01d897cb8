import assert from "node:assert/strict";
import type { ServerEvent } from "../../../realtime/protocol/protocol.ts";
import { CALL_TIMEOUT_MS, Connection, LONGEST_CALL_MS } from "./connection.ts";
import { FakeClock, FakeNetwork, message, settle } from "../fakes.ts";

function setUp({ sync = () => Promise.resolve(true) } = {}) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const events: ServerEvent[] = [];
  const phases: string[] = [];
  const connection = new Connection({
    open: network.open,
    clock,
    random: () => 0,
    sync,
    onEvent: (event) => events.push(event),
    onState: ({ phase }) => phases.push(phase),
  });
  return { clock, network, events, phases, connection };
}

async function setUpLive() {
  const parts = setUp();
  parts.connection.start();
  parts.network.last.open();
  await settle();
  return parts;
}

Deno.test("Connection goes through connecting and syncing before it is live", async () => {
  const { phases } = await setUpLive();
  assert.deepEqual(phases, ["connecting", "syncing", "live"]);
});

Deno.test("Connection tries again a second after a lost line, with a new line", async () => {
  const { clock, network, connection } = await setUpLive();
  network.last.drop();
  assert.equal(connection.state.phase, "waiting");
  await clock.advance(999);
  assert.equal(network.lines.length, 1);
  await clock.advance(1);
  assert.equal(network.lines.length, 2);
});

Deno.test("Connection ignores frames and closes of an older line", async () => {
  const { clock, network, events, connection } = await setUpLive();
  const old = network.last;
  old.drop();
  await clock.advance(1000);
  network.last.open();
  await settle();
  old.push({ event: "message:new", data: message(1) });
  old.drop(4401);
  assert.deepEqual(events, []);
  assert.equal(connection.state.phase, "live");
});

Deno.test("Connection.call() gives the ack's data, and connection_closed when the line is lost", async () => {
  const { network, connection } = await setUpLive();
  const answered = connection.call("presence:ping", {});
  network.last.ack("presence:ping");
  assert.deepEqual(await answered, { success: true });
  const cut = connection.call("presence:ping", {});
  network.last.drop();
  assert.equal((await cut as { code: string }).code, "connection_closed");
  const later = await connection.call("presence:ping", {});
  assert.equal((later as { code: string }).code, "connection_closed");
});

Deno.test("Connection.call() gives timed_out after ten seconds without an ack", async () => {
  const { clock, connection } = await setUpLive();
  const call = connection.call("typing:update", {
    roomId: "room",
    isTyping: true,
  });
  await clock.advance(CALL_TIMEOUT_MS);
  assert.equal((await call as { code: string }).code, "timed_out");
  assert.equal(connection.state.phase, "live");
});

Deno.test("Connection.call() waits on for as long as the line brings something, but not for ever", async () => {
  const { clock, network, connection } = await setUpLive();
  const call = connection.call("rooms:sync", { rooms: [] });
  let isOver = false;
  void call.then(() => isOver = true);
  for (let seq = 1; seq * 9_000 < LONGEST_CALL_MS; seq++) {
    await clock.advance(9_000);
    network.last.push({ event: "message:new", data: message(seq) });
    assert.equal(isOver, false);
  }
  await clock.advance(9_000);
  assert.equal((await call as { code: string }).code, "timed_out");
});

Deno.test("Connection pings every 15 s and condemns a line that does not answer", async () => {
  const { clock, network, connection } = await setUpLive();
  await clock.advance(15_000);
  network.last.ack("presence:ping");
  await clock.advance(15_000);
  assert.equal(network.last.named("presence:ping").length, 2);
  const silent = network.last;
  await clock.advance(CALL_TIMEOUT_MS);
  assert.equal(connection.state.phase, "waiting");
  assert.ok(silent.isClosedByClient);
});

Deno.test("Connection gives up an opening that takes too long", async () => {
  const { clock, network, connection } = setUp();
  connection.start();
  await clock.advance(CALL_TIMEOUT_MS);
  assert.equal(connection.state.phase, "waiting");
  assert.ok(network.last.isClosedByClient);
});

Deno.test("Connection treats a refused sync as a lost line", async () => {
  const { network, connection } = setUp({ sync: () => Promise.resolve(false) });
  connection.start();
  network.last.open();
  await settle();
  assert.equal(connection.state.phase, "waiting");
});

Deno.test("Connection.wake() tries at once while waiting, also after giving up", async () => {
  const { clock, network, connection } = setUp();
  connection.start();
  network.last.drop();
  connection.wake();
  assert.equal(network.lines.length, 2);
  for (
    let failed = 0;
    failed < 20 && connection.state.phase !== "stopped";
    failed++
  ) {
    network.last.drop();
    await clock.advance(5000);
  }
  assert.equal(connection.state.phase, "stopped");
  connection.wake();
  assert.equal(connection.state.phase, "connecting");
});

Deno.test("Connection.wake() makes sure that a live line still answers", async () => {
  const { clock, network, connection } = await setUpLive();
  connection.wake();
  assert.equal(network.last.named("presence:ping").length, 1);
  await clock.advance(4000);
  assert.equal(connection.state.phase, "waiting");
});
