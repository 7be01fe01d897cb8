/** Clients that never finish what they begin, kept away from the process by the shipped front. */

import assert from "node:assert/strict";
import { TestCluster } from "../faults/test_cluster.ts";
import { connect } from "../helpers/client.ts";
import { expectTook, stopwatch } from "../helpers/timing.ts";
import { engineUnderTest } from "../helpers/database.ts";
import { createRoom, signIn } from "../helpers/people.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import { abandonHandshakes, leftAt } from "../realtime/abandoned_handshakes.ts";
import { nginxMissing, startNginx } from "./nginx.ts";

const engine = engineUnderTest();

/** So many connections of each kind. */
const CROWD = 250;

/** nginx gives up on a head after this time, in milliseconds (deploy/nginx.conf), and a margin. */
const HEAD_LIMIT_MS = 10_000;
const MARGIN_MS = 3_000;

/** What the process may grow by while others chat, in bytes. */
const FLAT_BYTES = 30 * 1024 * 1024;

/** `limit_conn` of deploy/nginx.conf, and so many more. */
const ADDRESS_LIMIT = 600;
const BEYOND = 20;

const HEAD = "POST /api/auth/request-code HTTP/1.1\r\nHost: localhost\r\n";

/** Connections that are opened at the same time; a divisor of all of them. */
const AT_ONCE = 20;

Deno.test({
  name:
    "heads and bodies that never end, and connections that say nothing, do not reach the process, which stays as small as it was and serves others",
  ignore: await nginxMissing() !== undefined ||
    engine === "postgres" && await postgresMissing() !== undefined,
  async fn() {
    const cluster = await TestCluster.open({
      engine,
      alarm: (text) => assert.fail(text),
      env: { TRUSTED_PROXY_HOPS: "1", METRICS_TOKEN: "0123456789abcdef" },
    });
    const nginx = await startNginx([cluster.port]);
    try {
      const alice = await signIn(nginx, "alice");
      const room = await createRoom(alice);
      const client = await connect(nginx, alice);
      const before = await cluster.server.residentBytes();
      const openBefore = await openTo(cluster.port);

      const heads = [
        ...await crowd(nginx.port, HEAD),
        ...await crowd(nginx.port, ""),
      ];
      const bodies = await crowd(
        nginx.port,
        `${HEAD}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{`,
      );
      const living = stopwatch();
      const ended = Promise.all(heads.map(readToEnd));
      for (let n = 0; n < 5; n++) {
        for (const each of bodies) await writeOne(each);
        await client.expect("message:send", {
          roomId: room.id,
          text: `${n}`,
          clientMsgId: crypto.randomUUID(),
        });
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.equal(
        await openTo(cluster.port),
        openBefore,
        "a half of a request reached the process",
      );
      await ended;
      expectTook("the life of a head", living(), HEAD_LIMIT_MS + MARGIN_MS);
      const grown = await cluster.server.residentBytes() - before;
      assert.ok(grown < FLAT_BYTES, `the process grew by ${grown} bytes`);
      for (const each of bodies) each.close();
      await client.close();
    } finally {
      await nginx[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name:
    "of more connections from one address than the front allows, those above are 429 and never reach the process",
  ignore: await nginxMissing() !== undefined ||
    engine === "postgres" && await postgresMissing() !== undefined,
  async fn() {
    await using cluster = await TestCluster.open({
      engine,
      alarm: (text) => assert.fail(text),
      env: { TRUSTED_PROXY_HOPS: "1" },
    });
    await using nginx = await startNginx([cluster.port]);
    const alice = await signIn(nginx, "alice");
    const stop = new AbortController();
    const open = async () => {
      const answer = await alice.fetch("/api/events", { signal: stop.signal });
      if (answer.status === 200) return "open";
      await answer.text();
      // ChatKet's own refusals are problem+json.
      return `${answer.status} ${answer.headers.get("content-type")}`;
    };
    const outcomes: string[] = [];
    // A few at a time: on a busy machine the front would give up what the process is slow to accept.
    while (outcomes.length < ADDRESS_LIMIT + BEYOND) {
      const batch = Array.from({ length: AT_ONCE }, open);
      outcomes.push(...await Promise.all(batch));
    }
    const count = (outcome: string) =>
      outcomes.filter((each) => each === outcome).length;
    assert.deepEqual(
      [count("open"), count("429 text/html")],
      [ADDRESS_LIMIT, BEYOND],
    );
    stop.abort();
  },
});

Deno.test({
  name:
    "handshakes that are abandoned at the front leave nothing open behind it",
  ignore: await nginxMissing() !== undefined ||
    engine === "postgres" && await postgresMissing() !== undefined,
  async fn() {
    await using cluster = await TestCluster.open({
      engine,
      alarm: (text) => assert.fail(text),
      env: { TRUSTED_PROXY_HOPS: "1" },
    });
    await using nginx = await startNginx([cluster.port]);
    const alice = await signIn(nginx, "alice");
    await abandonHandshakes(nginx.port, alice, 164);
    assert.equal(await leftAt(cluster.port), 0);
    const client = await connect(nginx, alice);
    await client.close();
  },
});

async function crowd(port: number, text: string): Promise<Deno.TcpConn[]> {
  const bytes = new TextEncoder().encode(text);
  return await Promise.all(Array.from({ length: CROWD }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    if (bytes.length > 0) await connection.write(bytes);
    return connection;
  }));
}

async function readToEnd(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  try {
    while (await connection.read(buffer) !== null);
  } catch {
    // A reset is an end, too.
  }
  connection.close();
}

async function writeOne(connection: Deno.TcpConn): Promise<void> {
  await connection.write(new TextEncoder().encode(" "));
}

/** Established connections that a port of this machine has accepted. */
async function openTo(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await Deno.readTextFile("/proc/net/tcp");
  const accepted = new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} \\S+ 01 `);
  return table.split("\n").filter((line) => accepted.test(line)).length;
}
