/** One process after the other is replaced behind the shipped front while people talk. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { listAfter } from "../../db/message_history.ts";
import { newestSeqs } from "../../db/rooms.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import { check } from "../faults/checker.ts";
import { History } from "../faults/history.ts";
import { Random } from "../faults/random.ts";
import { RawClient } from "../faults/raw_client.ts";
import { report } from "../faults/report.ts";
import { ServerProcess } from "../faults/server_process.ts";
import { sleep } from "../faults/sleep.ts";
import { silentLog } from "../helpers/log.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { postgresMissing, startPostgres } from "../helpers/postgres.ts";
import { redisMissing, startRedis } from "../helpers/redis.ts";
import { until } from "../helpers/rooms.ts";
import { freePort } from "../helpers/system.ts";
import { nginxMissing, startNginx } from "./nginx.ts";

const PEOPLE = 6;

/** Requests that are answered before, while and after a process is away. */
const REQUESTS_BETWEEN = 30;

/** Everybody must be up to date again within this time, in milliseconds. */
const PATIENCE_MS = 30_000;

const missing = await nginxMissing() ?? await postgresMissing() ??
  await redisMissing();

for (const role of ["backup", "beside"] as const) {
  Deno.test({
    name: `a rolling restart behind nginx, the second process ${
      role === "backup" ? "standing by" : "joined by Redis"
    }: no request fails, no message is lost, doubled or out of order`,
    ignore: missing !== undefined,
    async fn() {
      await using cluster = await startPostgres({ fsync: true });
      await using redis = role === "beside" ? await startRedis() : undefined;
      const dataDir = await Deno.makeTempDir({ prefix: "chatket-front-" });
      const ports = [freePort(), freePort()] as const;
      const servers = ports.map((port) =>
        new ServerProcess({
          port,
          alarm: (text) => assert.fail(text),
          env: {
            RATE_LIMIT_MESSAGES: "1000000",
            FRAME_LIMIT_PER_SECOND: "1000000",
            FRAME_LIMIT_BURST: "1000000",
            MAX_SOCKETS_PER_ADDRESS: "10000",
            ROOMS_PER_HOUR: "100000",
            MAX_ROOMS_PER_USER: "100000",
            REST_LIMIT_PER_MINUTE: "1000000",
            JWT_SECRET:
              "a secret of the front's tests, long enough for production",
            CODE_DELIVERY: "response",
            ALLOW_INSECURE_CODES: "yes",
            TRUSTED_PROXY_HOPS: "1",
            DATA_DIR: dataDir,
            DATABASE_URL: cluster.url(),
            ...redis && { REDIS_URL: redis.url },
          },
        })
      );
      for (const server of servers) await server.start();
      const nginx = await startNginx(ports, role);
      const history = new History();
      const clients: RawClient[] = [];
      try {
        const people: Person[] = [];
        for (let n = 0; n < PEOPLE; n++) {
          people.push(await signIn(nginx, `user${n}`));
        }
        const [first, ...others] = people;
        const { id: roomId } = await createRoom(first!);
        const { id: foreignRoomId } = await createRoom(
          await signIn(nginx, "hermit"),
        );
        for (const person of others) await joinRoom(person, roomId);
        for (const [n, person] of people.entries()) {
          const client = await RawClient.create({
            ...{ name: `client${n}`, person, roomIds: [roomId], foreignRoomId },
            ...{ serverPort: nginx.port, history, random: new Random(n) },
            ...{ thinkMs: 60, byTime: false },
          });
          clients.push(client);
          client.connect();
          client.startTalking();
        }
        const asking: Asking = { on: true, requests: 0, failures: [] };
        const asked = askOften(nginx.origin, first!, asking);

        await further(asking, REQUESTS_BETWEEN);
        for (const server of servers) {
          const { code, ms } = await server.stop();
          assert.equal(code, 0);
          report(`a process ended in ${ms.toFixed(0)} ms`);
          await further(asking, REQUESTS_BETWEEN);
          await server.start();
          await further(asking, REQUESTS_BETWEEN);
        }
        asking.on = false;
        await asked;
        for (const client of clients) client.stopTalking();
        await settled(clients, history, roomId);

        assert.deepEqual(asking.failures, [], "requests that failed");
        const rooms = await stored(cluster.url(), dataDir, [
          roomId,
          foreignRoomId,
        ]);
        await until(
          "everyone knows the last change",
          () =>
            clients.every((client) => client.rev(roomId) === rooms[0]!.lastRev),
        );
        const violations = [
          ...history.violations,
          ...check({
            rooms,
            sent: history.sent,
            views: clients.flatMap((client) => client.views()),
          }),
        ];
        assert.deepEqual(violations, []);
        const messages = rooms[0]!.lastSeq;
        report(
          `${messages} messages, ${asking.requests} requests, ${
            history.counts.get("connects")
          } connects, ${history.counts.get("closed 1012")} goodbyes`,
        );
        assert.ok(messages > 100, `${messages} messages`);
        assert.ok((history.counts.get("closed 1012") ?? 0) >= PEOPLE);
      } finally {
        for (const client of clients) await client.close();
        await nginx[Symbol.asyncDispose]();
        for (const server of servers) await server.kill();
        await Deno.remove(dataDir, { recursive: true });
      }
    },
  });
}

interface Asking {
  on: boolean;
  requests: number;
  readonly failures: string[];
}

/** Reads and writes over HTTP, one request after another. */
async function askOften(
  origin: string,
  person: Person,
  asking: Asking,
): Promise<void> {
  while (asking.on) {
    const write = asking.requests % 5 === 0;
    try {
      const answer = write
        ? await person.fetch("/api/rooms", {
          method: "POST",
          json: { name: `Room ${crypto.randomUUID().slice(0, 8)}` },
        })
        : await person.fetch("/api/rooms");
      const text = await answer.text();
      if (!answer.ok) {
        asking.failures.push(`${origin}: ${answer.status} ${text}`);
      }
    } catch (error) {
      asking.failures.push(String(error));
    }
    asking.requests++;
    await sleep(20);
  }
}

/** Resolves when so many more requests have been answered. */
async function further(asking: Asking, requests: number): Promise<void> {
  const enough = asking.requests + requests;
  while (asking.requests < enough) await sleep(20);
}

async function settled(
  clients: readonly RawClient[],
  history: History,
  roomId: string,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const isDone = (client: RawClient) =>
    client.isSettled && client.position(roomId) >= history.newest(roomId);
  while (!clients.every(isDone)) {
    assert.ok(
      Date.now() < deadline,
      clients.map((client) => `${client.state} ${client.position(roomId)}`)
        .join("\n"),
    );
    await sleep(20);
  }
}

async function stored(
  databaseUrl: string,
  dataDir: string,
  roomIds: readonly string[],
) {
  await using db = await openDatabase({ databaseUrl, dataDir }, silentLog);
  return await Promise.all(roomIds.map(async (roomId) => {
    const rows = await listAfter(db, roomId, 0, 100_000);
    const [room] = await newestSeqs(db, [roomId]);
    return {
      roomId,
      lastSeq: rows.at(-1)?.seq ?? 0,
      lastRev: room?.last_rev ?? 0,
      checkedThrough: 0,
      messages: rows.map(messageOfRow),
    };
  }));
}
