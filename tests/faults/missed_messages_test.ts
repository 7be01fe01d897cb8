import assert from "node:assert/strict";
import { engineUnderTest } from "../helpers/database.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import { isQuietMachine } from "../helpers/timing.ts";
import { TestCluster } from "./test_cluster.ts";
import { BrowserClient } from "./browser_client.ts";
import { writeMany } from "./bulk_writer.ts";
import { check } from "./checker.ts";
import { History } from "./history.ts";
import { Random } from "./random.ts";
import { report } from "./report.ts";
import { sleep } from "./sleep.ts";

const engine = engineUnderTest();

/** More than 500 are skipped, and read when they are scrolled to. `deno task shows` adds a long absence. */
const MISSED = [250, 1_000, ...isQuietMachine ? [10_000] : []];

/** A client that has not caught up by then never will, in milliseconds. */
const PATIENCE_MS = 60_000;

Deno.test({
  name: "the browser's client recovers few and many missed messages",
  ignore: engine === "postgres" && await postgresMissing() !== undefined,
  async fn(t) {
    const history = new History();
    await using cluster = await TestCluster.open({
      engine,
      alarm: (text) => assert.fail(text),
    });
    const [reader, writer] = await cluster.people("user", 2);
    const roomIds = await cluster.rooms([reader!, writer!], 1);
    const roomId = roomIds[0]!;
    const client = await BrowserClient.create({
      ...{ name: "browser", person: reader!, roomIds, history, pace: 1 },
      ...{
        serverPort: cluster.port,
        random: new Random(1),
        thinkMs: 1_000,
      },
    });
    await client.load();
    await until(() => client.isSettled);

    for (const missed of MISSED) {
      await t.step(`${missed} missed messages`, async () => {
        client.goAway();
        const before = client.position(roomId);
        await writeMany(cluster, writer!, {
          roomId,
          count: missed,
          text: (number) => `message ${number}`,
        });
        assert.equal(client.position(roomId), before, "it was not away");
        const startedAt = performance.now();
        client.connect();
        await until(() => client.isSettled);
        const took = performance.now() - startedAt;
        report(`${missed} missed messages: ${took.toFixed(0)} ms`);
        assert.equal(client.position(roomId), before + missed);
        assert.deepEqual(client.storedAhead(), []);
      });
    }

    // More than 500 are not replayed: what lies between is read when it is scrolled to.
    const messages = await client.scrollBack();
    const [view] = client.views();
    await client.close();
    const rooms = (await cluster.truth(new Map([[roomId, 0]])))
      .map((room) => ({ ...room, checkedThrough: 0 }));
    assert.equal(messages.length, MISSED.reduce((sum, each) => sum + each));
    const wrong = check({ rooms, sent: [], views: [{ ...view!, messages }] })
      .filter(({ rule }) => rule !== "only what was sent is stored");
    assert.deepEqual(wrong, []);
  },
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, "not within a minute");
    await sleep(5);
  }
}
