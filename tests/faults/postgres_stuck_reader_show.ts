import assert from "node:assert/strict";
import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { ServerEnvelope } from "../../realtime/protocol/protocol.ts";
import type { Person } from "../helpers/people.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import { TestCluster } from "./test_cluster.ts";
import { BrowserClient } from "./browser_client.ts";
import { writeMany } from "./bulk_writer.ts";
import { History } from "./history.ts";
import { Random } from "./random.ts";
import { report } from "./report.ts";
import { sleep } from "./sleep.ts";

/** Messages that pass while the reader is stuck. */
const MESSAGES = 30_000;

/** Messages before anything is measured: the server's heap and caches grow to their size. */
const WARM_UP = 25_000;

/** Messages whose latency is compared with. */
const COMPARED = 5_000;

/** Messages a second while latency is measured. */
const RATE = 2_500;

/** What a stuck reader may cost, in bytes. */
const MAX_GROWTH = 50 * 1024 * 1024;

const READERS = 5;

const ALL = WARM_UP + COMPARED + MESSAGES;

Deno.test({
  name:
    "a reader that does not read costs no memory, delays nobody and recovers",
  // With the embedded database the memory of the process is mostly that of the database.
  ignore: await postgresMissing() !== undefined,
  async fn() {
    const alarms: string[] = [];
    await using cluster = await TestCluster.open({
      engine: "postgres",
      alarm: (text) => alarms.push(text),
    });
    const people = await cluster.people("user", READERS + 2);
    const [writer, lazy, ...others] = people;
    const roomIds = await cluster.rooms(people, 1);
    const roomId = roomIds[0]!;
    const history = new History();
    const stuck = await BrowserClient.create({
      // Its own clock nearly stands still: it must not give up the line before the server does.
      ...{ name: "stuck", person: lazy!, roomIds, history, pace: 0.05 },
      ...{
        serverPort: cluster.port,
        random: new Random(1),
        thinkMs: 1_000,
      },
    });
    await stuck.load();
    const readers = await Promise.all(
      others.map((person) => subscribe(cluster, person, roomId)),
    );
    const write = async (count: number, rate?: number) => {
      const latencies = readers.map((reader) => reader.begin());
      await writeMany(cluster, writer!, {
        ...{ roomId, count, ...rate === undefined ? {} : { rate } },
        text: () => `${Date.now()} ${"x".repeat(200)}`,
      });
      await sleep(200);
      return percentile(latencies.flat(), 0.99);
    };

    await write(WARM_UP);
    const p99Before = await write(COMPARED, RATE);
    const memoryBefore = await cluster.server.residentBytes();
    const [line] = stuck.proxiedLines.slice(-1);
    assert.ok(line, "the stuck reader is not connected");
    for (const each of stuck.proxiedLines) each.down.setMode("stall");
    const seenBefore = stuck.position(roomId);

    const p99During = await write(MESSAGES, RATE);
    const growth = await cluster.server.residentBytes() - memoryBefore;
    assert.ok(
      stuck.position(roomId) < seenBefore + MESSAGES,
      "the reader was not stuck",
    );
    report(
      `${MESSAGES} messages past a stuck reader: RSS ${
        megabytes(growth)
      } MB more; ` +
        `p99 of the others ${p99During} ms, ${p99Before} ms without it ` +
        `(ratio ${(p99During / Math.max(1, p99Before)).toFixed(2)})`,
    );
    assert.ok(growth < MAX_GROWTH, `${megabytes(growth)} MB`);
    for (const reader of readers) {
      assert.equal(reader.received(), ALL);
    }

    for (const each of stuck.proxiedLines) each.down.setMode("pass");
    const deadline = Date.now() + 60_000;
    while (stuck.position(roomId) < ALL) {
      assert.ok(
        Date.now() < deadline,
        `it stands at ${stuck.position(roomId)}`,
      );
      stuck.wake();
      await sleep(50);
    }
    assert.equal(history.counts.get("closed 4408"), 1, "it was not cut off");

    for (const reader of readers) reader.close();
    await stuck.close();
    assert.deepEqual(alarms, []);
  },
});

/** A reader that notes how old each message is when it comes. Texts begin with the time of sending. */
async function subscribe(
  { port }: TestCluster,
  { token }: Person,
  roomId: string,
) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, [
    SUBPROTOCOL,
    BEARER_PREFIX + token,
  ]);
  const joined = Promise.withResolvers<void>();
  let latencies: number[] = [];
  let count = 0;
  socket.onopen = () => {
    const data = { roomId, lastSeq: 0 };
    socket.send(JSON.stringify({ id: 1, event: "room:join", data }));
  };
  socket.onmessage = ({ data }) => {
    const parsed: ServerEnvelope | ServerEnvelope[] = JSON.parse(data);
    for (const envelope of Array.isArray(parsed) ? parsed : [parsed]) {
      if ("ack" in envelope) joined.resolve();
      else if (envelope.event === "message:new") {
        count++;
        latencies.push(Date.now() - parseInt(envelope.data.text));
      }
    }
  };
  await joined.promise;
  return {
    /** Milliseconds, from now on. */
    begin: () => latencies = [],
    received: () => count,
    close: () => socket.close(),
  };
}

function percentile(values: number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * fraction)] ?? NaN;
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
