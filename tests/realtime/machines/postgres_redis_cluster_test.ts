/** Servers that a Redis Cluster of three nodes joins, each node with a third of the channels and limits. */

import assert from "node:assert/strict";
import { startTestApp } from "../../helpers/app.ts";
import { connect, type TestClient } from "../../helpers/client.ts";
import { makePlace } from "../../helpers/database.ts";
import { createRoom, joinRoom } from "../../helpers/people.ts";
import { freePort, runOrThrow } from "../../helpers/system.ts";
import { newPerson, say, until } from "../setting.ts";
import { backboneOf, missing, statusOf } from "./machines.ts";

/** Enough for each node to have some. */
const ROOMS = 12;

/** Without Redis a message is heard within six seconds. */
const HEARD_LIMIT_MS = 10_000;

interface Cluster extends AsyncDisposable {
  readonly url: string;
  /** `kill -9` of one node. */
  killOne(): Promise<void>;
}

async function startCluster(): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "chatket-cluster-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const nodes = [1, 2, 3].map((number) => {
    const port = freePort();
    const child = new Deno.Command("redis-server", {
      args: [
        ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
        // The cluster bus would take a port far above, which may not exist.
        ...["--cluster-port", String(freePort())],
        ...["--cluster-enabled", "yes", "--cluster-config-file", `${number}`],
        // What the other nodes have still works.
        ...["--cluster-require-full-coverage", "no"],
        ...["--save", "", "--appendonly", "no"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const kill = async () => {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    };
    stack.defer(kill);
    return { port, kill };
  });
  const cli = (...words: string[]) => runOrThrow("redis-cli", words);
  for (const { port } of nodes) {
    await until("a node answers", async () => {
      try {
        return (await cli("-p", `${port}`, "ping")).includes("PONG");
      } catch {
        return false;
      }
    });
  }
  await cli(
    ...["--cluster", "create", "--cluster-replicas", "0", "--cluster-yes"],
    ...nodes.map(({ port }) => `127.0.0.1:${port}`),
  );
  for (const { port } of nodes) {
    await until(
      "a node knows that the cluster is whole",
      async () =>
        (await cli("-p", `${port}`, "cluster", "info"))
          .includes("cluster_state:ok"),
    );
  }
  const all = stack.move();
  return {
    url: `redis+cluster://127.0.0.1:${nodes[0]!.port}`,
    killOne: () => nodes[2]!.kill(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test({
  name:
    "a Redis Cluster joins servers; when a node dies its rooms are late, not lost",
  ignore: missing !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await startCluster());
    const place = stack.use(await makePlace("postgres"));
    const start = async () =>
      stack.use(
        await startTestApp({
          JWT_SECRET: "a secret that the machines of this test share",
          REDIS_URL: cluster.url,
          RATE_LIMIT_MESSAGES: "3",
        }, { place }),
      );
    const [one, two] = [await start(), await start()];
    for (const app of [one, two]) {
      await until("Redis is there", async () => await backboneOf(app) === "ok");
    }
    const [alice, bob] = [await newPerson(one), await newPerson(two)];
    const socketOf = async (app: typeof one, person: typeof alice) =>
      stack.use(await connect(app, person));
    const atOne = await socketOf(one, alice);
    const alsoAtTwo = await socketOf(two, alice);
    const atTwo = await socketOf(two, bob);
    const rooms: string[] = [];
    for (let number = 0; number < ROOMS; number++) {
      const { id } = await createRoom(alice);
      await joinRoom(bob, id);
      for (const socket of [atOne, alsoAtTwo, atTwo]) {
        await socket.expect("room:join", { roomId: id });
      }
      rooms.push(id);
    }
    const crosses = async (roomId: string) => {
      const { messageId } = await say(atOne, roomId, "across");
      await heard(atTwo, messageId);
    };
    for (const roomId of rooms) await crosses(roomId);
    await until(
      "presence crosses",
      async () => await statusOf(one, alice, rooms[0]!, bob) === "online",
    );
    let refused = 0;
    for (const roomId of rooms) {
      await say(alsoAtTwo, roomId, "two of three");
      await say(atOne, roomId, "three of three");
      const refusal = await alsoAtTwo.request("message:send", {
        roomId,
        text: "one too many",
        clientMsgId: crypto.randomUUID(),
      });
      if ((refusal as { code?: string }).code === "muted") refused++;
    }
    // Where Redis answers too late each process counts for itself: that may happen, but not often.
    assert.ok(refused > ROOMS / 2, `${refused} of ${ROOMS}`);

    await cluster.killOne();
    for (const roomId of rooms) {
      const { messageId } = await say(atTwo, roomId, "still there");
      await heard(atOne, messageId);
    }
  },
});

async function heard(socket: TestClient, messageId: string): Promise<void> {
  await socket.waitFor(
    "message:new",
    (each) => each.messageId === messageId,
    HEARD_LIMIT_MS,
  );
}
