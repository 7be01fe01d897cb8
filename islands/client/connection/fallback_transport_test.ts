import assert from "node:assert/strict";
import { FakeClock, FakeNetwork } from "../fakes.ts";
import { FallbackTransport } from "./fallback_transport.ts";
import {
  FIRST_PROBE_MS,
  LONGEST_PROBE_MS,
  probingTransport,
} from "./probing_transport.ts";

function setUp() {
  const clock = new FakeClock();
  const sockets = new FakeNetwork();
  const streams = new FakeNetwork();
  const log: string[] = [];
  const transport: FallbackTransport = new FallbackTransport(
    sockets.open,
    probingTransport({
      eventStream: streams.open,
      websocket: sockets.open,
      clock,
      probed: (works) => transport.probed(works),
    }),
  );
  const open = () =>
    transport.open({
      opened: () => log.push("opened"),
      received: () => {},
      closed: (code) => log.push(`closed ${code}`),
    });
  /** Two upgrades fail, and the event stream opens. */
  const fallBack = () => {
    for (let failed = 0; failed < 2; failed++) {
      open();
      sockets.last.drop();
    }
    const line = open();
    streams.last.open();
    log.length = 0;
    return line;
  };
  return { clock, sockets, streams, log, transport, open, fallBack };
}

Deno.test("FallbackTransport opens the event stream after two failed upgrades in a row", () => {
  const { sockets, streams, transport, open } = setUp();
  open();
  sockets.last.drop();
  open();
  sockets.last.open();
  sockets.last.drop();
  for (let failed = 0; failed < 2; failed++) {
    assert.equal(streams.lines.length, 0);
    open();
    sockets.last.drop();
  }
  open();
  assert.deepEqual([transport.wire, streams.lines.length], ["event_stream", 1]);
});

Deno.test("FallbackTransport counts an upgrade that was given up, and none twice", () => {
  const { sockets, transport, open } = setUp();
  const line = open();
  line.close();
  line.close();
  open();
  assert.equal(transport.wire, "websocket");
  sockets.last.drop();
  open();
  assert.equal(transport.wire, "event_stream");
});

Deno.test("FallbackTransport stays on an event stream that opens, and leaves one that does not", () => {
  const { streams, transport, open, fallBack } = setUp();
  fallBack();
  streams.last.drop();
  open();
  assert.equal(transport.wire, "event_stream");
  streams.last.drop();
  open();
  assert.equal(transport.wire, "websocket");
});

Deno.test("the event stream is given up for a WebSocket when a probe opens", async () => {
  const { clock, sockets, streams, log, transport, open, fallBack } = setUp();
  fallBack();
  await clock.advance(FIRST_PROBE_MS);
  sockets.last.drop();
  assert.deepEqual(log, [], "a failed probe changes nothing");
  assert.ok(transport.isBlocked);
  const probes = sockets.lines.length;
  await clock.advance(4 * FIRST_PROBE_MS - 1);
  assert.equal(sockets.lines.length, probes);
  await clock.advance(1);
  sockets.last.open();
  assert.ok(sockets.last.isClosedByClient);
  assert.ok(streams.last.isClosedByClient);
  assert.deepEqual(log, ["closed 1006"]);
  assert.ok(!transport.isBlocked);
  open();
  assert.equal(transport.wire, "websocket");
});

Deno.test("a server that was away for two upgrades does not count as blocked WebSockets", async () => {
  const { clock, sockets, transport, open, fallBack } = setUp();
  fallBack();
  assert.deepEqual([transport.wire, transport.isBlocked], [
    "event_stream",
    false,
  ]);
  await clock.advance(FIRST_PROBE_MS);
  sockets.last.open();
  open();
  sockets.last.open();
  assert.deepEqual([transport.wire, transport.isBlocked], [
    "websocket",
    false,
  ]);
});

Deno.test("while WebSockets stay blocked the looks become rare", async () => {
  const { clock, sockets, fallBack } = setUp();
  fallBack();
  const before = sockets.lines.length;
  for (const ms of [1_000, 4_000, 16_000, 60_000, LONGEST_PROBE_MS]) {
    await clock.advance(ms);
    sockets.last.drop();
  }
  assert.equal(sockets.lines.length, before + 5);
});

Deno.test("a closed event stream is probed no more", async () => {
  const { clock, sockets, fallBack } = setUp();
  fallBack().close();
  const opened = sockets.lines.length;
  await clock.advance(2 * LONGEST_PROBE_MS);
  assert.equal(sockets.lines.length, opened);
});
