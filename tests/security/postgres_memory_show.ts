/** Attacks on the memory of the real server process, without a front. */

import assert from "node:assert/strict";
import { TestCluster } from "../faults/test_cluster.ts";
import { sleep } from "../faults/sleep.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import type { Person } from "../helpers/people.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import {
  maskedFrame,
  Opcode,
  openRaw,
  type RawSocket,
  RUNTIME_FRAME_LIMIT,
  writeHuge,
} from "../realtime/raw_socket.ts";
import { send } from "../helpers/rooms.ts";
import { showMemory } from "./memory_show.ts";

const MEGABYTE = 1024 * 1024;

/** Connections of each half-open kind. */
const HALF_OPEN = 200;

/** The runtime gives up a peer that answers no ping after 30 s (routes/realtime/realtime.ts); and a margin. */
const IDLE_LIMIT_MS = 40_000;

const FLOODERS = 20;
const FLOOD_FRAMES = 5_000;
const FLOOD_REQUESTS = 2_000;

const STUCK = 50;
const WRITERS = 12;

/** Within the burst of frames that a socket may send. */
const MESSAGES_PER_WRITER = 190;

/** So much is written before anything is measured: more than any attack needs. */
const WARM_UP_ROUNDS = 4;

/** 500 characters of which each takes six bytes as JSON. */
const WIDE_TEXT = `x${"\u0001".repeat(499)}`;

const PING = JSON.stringify({ event: "presence:ping", data: {} });

Deno.test({
  name:
    "huge frames, half-open upgrades, floods and readers that do not read leave the process as small as it was",
  ignore: Deno.build.os !== "linux" ||
    await postgresMissing() !== undefined,
  async fn() {
    const alarms: string[] = [];
    await using cluster = await TestCluster.open({
      engine: "postgres",
      alarm: (text) => alarms.push(text),
      env: { FRAME_LIMIT_PER_SECOND: "20", FRAME_LIMIT_BURST: "200" },
    });
    const people = await cluster.people("user", WRITERS + 1);
    const [roomId] = await cluster.rooms(people, 1);
    const [attacker, ...writers] = people as [Person, ...Person[]];
    // The heap, the caches and the database's memory grow to the size that ordinary work needs.
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      await writeAll(cluster, writers, roomId!);
    }

    const show = (
      name: string,
      mostBytes: number,
      attack: () => Promise<void>,
    ) =>
      showMemory(
        cluster,
        name,
        mostBytes,
        attack,
        () => readMuch(writers[0]!, roomId!),
      );
    await show("a frame of 64 MiB", 20 * MEGABYTE, async () => {
      using socket = await openRaw(cluster, attacker);
      await writeHuge(socket, RUNTIME_FRAME_LIMIT).catch(() => {});
      assert.equal(await socket.readCloseCode(), undefined, "cut off");
    });
    await show(
      "five frames of one byte less, one after the other",
      // The runtime holds the last three times; of those before it a text each, until they are swept.
      7 * RUNTIME_FRAME_LIMIT,
      async () => {
        for (let n = 0; n < 5; n++) {
          using socket = await openRaw(cluster, attacker);
          await writeHuge(socket, RUNTIME_FRAME_LIMIT - 1);
          assert.equal(await socket.readCloseCode(), 1009);
        }
      },
    );
    await show(
      `${STUCK} sockets that do not read in a busy room`,
      200 * MEGABYTE,
      () => overfeed(cluster, attacker, writers, roomId!),
    );
    await show(
      `${FLOODERS} sockets with ${FLOOD_FRAMES} frames each`,
      100 * MEGABYTE,
      async () => {
        const codes = await Promise.all(
          Array.from({ length: FLOODERS }, () => flood(cluster, attacker)),
        );
        // Who goes on sending may be cut off before the code has come.
        assert.ok(codes.includes(4429));
        assert.ok(codes.every((code) => code === 4429 || code === undefined));
      },
    );
    await show(
      `${FLOOD_REQUESTS} requests, 50 at a time`,
      100 * MEGABYTE,
      () => request(cluster, attacker),
    );
    // Last: while nothing is done for so long the heap shrinks, and grows again after.
    await show(
      `${HALF_OPEN} heads that never end, ${HALF_OPEN} sockets that say nothing, one in endless fragments`,
      100 * MEGABYTE,
      () => holdHalfOpen(cluster, attacker),
    );
    assert.deepEqual(alarms, []);
  },
});

/**
 * All that begins and does not go on. The runtime sets no time for a head, so those end with the
 * attacker; a socket that answers no ping is cut off, whatever else it sends.
 */
async function holdHalfOpen(
  cluster: TestCluster,
  attacker: Person,
): Promise<void> {
  const { port } = cluster;
  const heads = await Promise.all(
    Array.from({ length: HALF_OPEN }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const head =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n";
      await connection.write(new TextEncoder().encode(head));
      return connection;
    }),
  );
  const silent: RawSocket[] = [];
  for (let n = 0; n < HALF_OPEN; n++) {
    silent.push(await openRaw(cluster, attacker));
  }
  const endless = await openRaw(cluster, attacker);
  const startedAt = Date.now();
  let isOver = false;
  const ended = Promise.all([
    ...silent.map((socket) => readToEnd(socket)),
    writeEndlessly(endless, () => isOver),
  ]);
  const limit = setTimeout(() => isOver = true, IDLE_LIMIT_MS);
  await Promise.race([ended, sleep(IDLE_LIMIT_MS)]);
  clearTimeout(limit);
  const took = Date.now() - startedAt;
  for (const each of [...silent, endless]) each[Symbol.dispose]();
  for (const each of heads) each.close();
  assert.ok(took < IDLE_LIMIT_MS, "who answers no ping is cut off");
}

async function readToEnd(socket: RawSocket): Promise<void> {
  while (await socket.read() !== undefined);
}

/** Parts of one message that never ends, a megabyte a second, until the server hangs up. */
async function writeEndlessly(
  socket: RawSocket,
  isOver: () => boolean,
): Promise<void> {
  const part = "x".repeat(MEGABYTE / 4);
  await socket.sendFrame(Opcode.text, part, false);
  try {
    while (!isOver()) {
      await socket.sendFrame(Opcode.continuation, part, false);
      await sleep(250);
    }
  } catch {
    // The server has hung up.
  }
}

async function flood(cluster: TestCluster, attacker: Person) {
  using socket = await openRaw(cluster, attacker);
  const frame = maskedFrame(Opcode.text, PING);
  const frames = new Uint8Array(frame.length * FLOOD_FRAMES);
  for (let n = 0; n < FLOOD_FRAMES; n++) frames.set(frame, n * frame.length);
  const written = socket.write(frames).catch(() => {});
  const code = await socket.readCloseCode();
  await written;
  return code;
}

async function request(
  cluster: TestCluster,
  attacker: Person,
): Promise<void> {
  for (let sent = 0; sent < FLOOD_REQUESTS; sent += 50) {
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        (_, n) =>
          n % 2 === 0
            ? attacker.fetch("/api/rooms?all=true")
            : fetch(`${cluster.origin}/api/auth/me`),
      ),
    );
    for (const answer of answers) {
      await answer.body?.cancel();
      assert.ok(answer.status === 200 || answer.status === 401);
    }
  }
}

/** Sockets that read nothing while their room is busy: each is given up, and those who read are not. */
async function overfeed(
  cluster: TestCluster,
  attacker: Person,
  writers: readonly Person[],
  roomId: string,
): Promise<void> {
  const stuck: RawSocket[] = [];
  for (let n = 0; n < STUCK; n++) {
    const socket = await openRaw(cluster, attacker);
    const join = { id: 1, event: "room:join", data: { roomId } };
    await socket.sendFrame(Opcode.text, JSON.stringify(join));
    stuck.push(socket);
  }
  await sleep(500);
  for (let round = 0; round < 2; round++) {
    await writeAll(cluster, writers, roomId);
  }
  const codes = await Promise.all(stuck.map((each) => each.readCloseCode()));
  assert.deepEqual([...new Set(codes)], [4408]);
  for (const each of stuck) each[Symbol.dispose]();
}

/** A round of ordinary work that stores nothing. */
async function readMuch(reader: Person, roomId: string): Promise<void> {
  for (let n = 0; n < 50; n++) {
    await reader.getJson(`/api/rooms/${roomId}/messages?limit=100`);
  }
}

/** Each writes as much as one may at once, on a socket of their own. */
async function writeAll(
  cluster: TestCluster,
  writers: readonly Person[],
  roomId: string,
): Promise<void> {
  const sockets: TestClient[] = [];
  for (const writer of writers) {
    sockets.push(await connect(cluster, writer));
  }
  for (let n = 0; n < MESSAGES_PER_WRITER; n += 10) {
    const acks = await Promise.all(
      sockets.flatMap((socket) =>
        Array.from(
          { length: 10 },
          () => send(socket, roomId, { text: WIDE_TEXT }),
        )
      ),
    );
    assert.ok(acks.every((ack) => ack.success));
  }
  for (const socket of sockets) await socket.close();
}
