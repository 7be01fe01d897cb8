import assert from "node:assert/strict";
import { connect, type TestClient } from "../helpers/client.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import { TestCluster } from "./test_cluster.ts";
import { report } from "./report.ts";
import { sleep } from "./sleep.ts";

/** A message is answered within this time whatever the database does, in milliseconds. */
const ANSWER_LIMIT_MS = 8_000;

/** `/ready` must say that the database is away within this time, in milliseconds. */
const READY_LIMIT_MS = 5_000;

/** A database that is back is used again within this time, in milliseconds. */
const RECOVERY_LIMIT_MS = 10_000;

Deno.test({
  name:
    "while the database is away sends are answered in time, and a retry finds what was stored",
  ignore: await postgresMissing() !== undefined,
  async fn(t) {
    const alarms: string[] = [];
    await using cluster = await TestCluster.open({
      engine: "postgres",
      alarm: (text) => alarms.push(text),
    });
    const { postgres, databaseProxy, server } = cluster;
    const [ada, bob] = await cluster.people("user", 2);
    const [roomId] = await cluster.rooms([ada!, bob!], 1);
    const sender = await connect(cluster, ada!);
    const reader = await connect(cluster, bob!);
    for (const client of [sender, reader]) {
      await client.expect("room:join", { roomId: roomId!, lastSeq: 0 });
    }
    const pid = server.pid;
    let seq = 0;

    /** What a fault must not change: the retry is stored once, and the reader sees it without asking. */
    const expectRecovery = async (text: string, clientMsgId: string) => {
      const startedAt = performance.now();
      await waitUntil(
        async () => await readyStatus(cluster) === 200,
        RECOVERY_LIMIT_MS,
      );
      const message = { roomId: roomId!, text, clientMsgId };
      const ack = await sender.expect("message:send", message);
      report(
        `${text}: stored ${
          (performance.now() - startedAt).toFixed(0)
        } ms after it was back`,
      );
      assert.equal(ack.seq, ++seq);
      const again = await sender.expect("message:send", message);
      assert.deepEqual(again, { ...ack, isDuplicate: true });
      const seen = await reader.waitFor(
        "message:new",
        ({ clientMsgId }) => clientMsgId === message.clientMsgId,
      );
      assert.equal(seen.seq, ack.seq);
      assert.equal(seen.messageId, ack.messageId);
      // One more comes after whatever the reader was told twice.
      const next = { ...message, clientMsgId: crypto.randomUUID() };
      assert.equal((await sender.expect("message:send", next)).seq, ++seq);
      await reader.waitFor("message:new", (each) => each.seq === seq);
      assert.deepEqual(
        reader.all("message:new").map((each) => each.seq),
        Array.from({ length: seq }, (_, index) => index + 1),
      );
      assert.equal(server.pid, pid, "the server was restarted");
    };

    await t.step("all is well before", async () => {
      assert.equal(await readyStatus(cluster), 200);
      await expectRecovery("before", crypto.randomUUID());
    });

    for (const mode of ["fast", "immediate"] as const) {
      await t.step(`stopped (${mode})`, async () => {
        await postgres!.stop(mode);
        const id = crypto.randomUUID();
        const answer = sendAndTime(sender, roomId!, `stopped ${mode}`, id);
        await expectAway(cluster);
        report(`stopped (${mode}): ${await answer}`);
        await postgres!.start();
        await expectRecovery(`stopped ${mode}`, id);
      });
    }

    await t.step(
      "paused: connections stay open and nothing answers",
      async () => {
        await postgres!.pause();
        const id = crypto.randomUUID();
        const answer = sendAndTime(sender, roomId!, "paused", id);
        await expectAway(cluster);
        report(`paused: ${await answer}`);
        await postgres!.resume();
        await expectRecovery("paused", id);
      },
    );

    await t.step("stored, but the answer is lost", async () => {
      // The connection that is used next has prepared the statement: one that has not would wait for an answer first.
      const before = { roomId: roomId!, text: "before the answer is lost" };
      const { seq: last } = await sender.expect("message:send", {
        ...{ ...before, clientMsgId: crypto.randomUUID() },
      });
      assert.equal(last, ++seq);
      for (const line of databaseProxy!.lines) line.down.setMode("hold");
      const id = crypto.randomUUID();
      const answer = sendAndTime(sender, roomId!, "answer lost", id);
      await waitUntil(async () => {
        const [room] = await cluster.truth(new Map([[roomId!, seq]]));
        return room?.messages.length === 1;
      }, RECOVERY_LIMIT_MS);
      databaseProxy!.refuse(true);
      databaseProxy!.cutAll("reset");
      report(`answer lost: ${await answer}`);
      databaseProxy!.refuse(false);
      // The reader is told although nobody sends anything more.
      await reader.waitFor(
        "message:new",
        (message) => message.clientMsgId === id,
      );
      await expectRecovery("answer lost", id);
    });

    await sender.close();
    await reader.close();
    assert.deepEqual(alarms, []);
  },
});

/** Sends a message that must be refused as `unavailable` in time. Gives a line for the report. */
async function sendAndTime(
  client: TestClient,
  roomId: string,
  text: string,
  clientMsgId: string,
): Promise<string> {
  const startedAt = performance.now();
  const data = { roomId, text, clientMsgId };
  const ack = await client.request("message:send", data, ANSWER_LIMIT_MS);
  assert.equal(ack.success, false);
  assert.equal("code" in ack && ack.code, "unavailable");
  return `unavailable after ${(performance.now() - startedAt).toFixed(0)} ms`;
}

async function expectAway(cluster: TestCluster): Promise<void> {
  await waitUntil(
    async () => await readyStatus(cluster) === 503,
    READY_LIMIT_MS,
  );
  const health = await fetch(`${cluster.origin}/health`);
  assert.equal(health.status, 200);
  await health.body?.cancel();
}

async function readyStatus(cluster: TestCluster): Promise<number> {
  const answer = await fetch(`${cluster.origin}/ready`);
  await answer.body?.cancel();
  return answer.status;
}

async function waitUntil(
  holds: () => Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!await holds()) {
    assert.ok(Date.now() < deadline, `not within ${limitMs} ms`);
    await sleep(50);
  }
}
