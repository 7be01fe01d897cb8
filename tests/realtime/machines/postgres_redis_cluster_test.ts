/** Servers that a Redis Cluster of three nodes joins, each node with a third of the channels and limits. */

import assert from "node:assert/strict";
import { startTestApp } from "../../helpers/app.ts";
import { connect, type TestClient } from "../../helpers/client.ts";
import { makeMigratedPlace } from "../../helpers/database.ts";
import { createRoom, joinRoom } from "../../helpers/people.ts";
import { startRedisCluster } from "../../helpers/redis_cluster.ts";
import { newPerson, say, until } from "../../helpers/rooms.ts";
import { brokerOf, missing, statusOf } from "./machines.ts";

/** Enough for each node to have some. */
const ROOMS = 12;

/** Without Redis a message is heard within six seconds. */
const HEARD_LIMIT_MS = 10_000;

Deno.test({
  name:
    "a Redis Cluster joins servers; when a node dies its rooms are late, not lost; without nodes Redis is away",
  ignore: missing !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await startRedisCluster(3));
    const place = stack.use(await makeMigratedPlace("postgres"));
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
      await until("Redis is there", async () => await brokerOf(app) === "ok");
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

    await cluster.kill(2);
    await Promise.all(rooms.map(async (roomId) => {
      const { messageId } = await say(atTwo, roomId, "still there");
      await heard(atOne, messageId);
    }));

    for (const node of [0, 1]) await cluster.kill(node);
    for (const app of [one, two]) {
      await until(
        "Redis is away",
        async () => await brokerOf(app) === "away",
      );
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
