/** The broker over a Redis Cluster of its own: what becomes of it when nodes go and come. */

import assert from "node:assert/strict";
import { startRedisCluster } from "../../tests/helpers/redis_cluster.ts";
import {
  openProcess,
  pause,
  redisTest,
  until,
} from "../../tests/realtime/redis_chat.ts";
import type { Channel, Signal } from "./broker.ts";

const HELLO: Signal = { kind: "hello" };

/** A node that comes back serves nothing for up to five seconds. */
const RETURN_LIMIT_MS = 30_000;

/** Enough for each of three nodes to have some. */
const ROOMS = Array.from({ length: 12 }, (_, n): Channel => `room:${n}`);

type Process = Awaited<ReturnType<typeof openProcess>>;

/** In how many of the rooms somebody hears what is told. */
async function countHeard({ broker }: Process): Promise<number> {
  const counts = await Promise.all(
    ROOMS.map((room) => broker.publish(room, HELLO)),
  );
  return counts.filter((count) => count > 0).length;
}

redisTest(
  "a cluster whose only node was killed is away, says so in the log, and is back with what was followed when the node is",
  async () => {
    await using cluster = await startRedisCluster(1);
    await using process = await openProcess(cluster);
    process.listen();
    for (const room of ROOMS) await process.broker.subscribe(room);
    assert.equal(await countHeard(process), ROOMS.length);
    await cluster.kill(0);
    await until("it is away", () => process.broker.isUp === false);
    assert.ok(
      process.log.lines.some((line) => /"warn".*Redis is away/.test(line)),
    );
    assert.equal(process.broker.subscribe("room:new"), undefined);
    await assert.rejects(process.shared.listOnline("x"), {
      name: "RedisAwayError",
    });
    cluster.start(0);
    await until(
      "it is back",
      () => process.broker.isUp === true,
      RETURN_LIMIT_MS,
    );
    assert.deepEqual(process.states, ["up", "down", "up"]);
    assert.equal(await countHeard(process), ROOMS.length);
    assert.equal(await process.broker.publish("room:new", HELLO), 1);
    assert.deepEqual(await process.shared.listOnline("x"), []);
  },
);

redisTest(
  "a cluster is there while one of its nodes is not: at its death, at a return of the others, and at its own",
  async () => {
    await using cluster = await startRedisCluster(3);
    await using process = await openProcess(cluster);
    process.listen();
    for (const room of ROOMS) await process.broker.subscribe(room);
    assert.equal(await countHeard(process), ROOMS.length);
    // Whichever node the probe's key is on, one of these rounds kills it.
    for (const node of [0, 1, 2]) {
      await cluster.kill(node);
      // Long enough for two probes.
      await pause(2_100);
      const heard = await countHeard(process);
      assert.ok(heard > 0 && heard < ROOMS.length, `${heard} are heard`);
      cluster.start(node);
      await untilAllAreHeard(process);
    }
    assert.deepEqual(process.states, ["up"]);

    for (const node of [0, 1, 2]) await cluster.kill(node);
    await until("all are away", () => process.broker.isUp === false);
    for (const node of [0, 1]) cluster.start(node);
    await until(
      "the others are back",
      () => process.broker.isUp === true,
      RETURN_LIMIT_MS,
    );
    cluster.start(2);
    await untilAllAreHeard(process);
    assert.deepEqual(process.states, ["up", "down", "up"]);
  },
);

async function untilAllAreHeard(process: Process): Promise<void> {
  const limit = Date.now() + RETURN_LIMIT_MS;
  while (await countHeard(process) < ROOMS.length) {
    assert.ok(Date.now() < limit, "never: all are heard");
    await pause(50);
  }
}
