/**
 * What the backbone costs, for `REDIS_FIGURES` in scaling/figures.ts: `deno run -A bench/redis_costs.ts`
 * starts a Redis of its own and prints CPU a command, at this process and at Redis. A minute, Linux.
 */

import { createClient } from "@redis/client";
import { TAKE_MESSAGES } from "../realtime/cluster/redis_scripts.ts";
import { startRedis } from "../tests/helpers/redis.ts";
import { run } from "../tests/helpers/system.ts";
import { cpuSeconds } from "./load/proc.ts";

const COMMANDS = 20_000;
const COMMANDS_A_SECOND = 5_000;
const SIGNALS = 12_000;
const SIGNALS_A_SECOND = 3_000;
const CHANNEL = "chatket:room:of-the-bench";

const roomId = crypto.randomUUID();
/** A message as one process tells it the others. */
const SIGNAL = roomId + JSON.stringify({
  kind: "messages",
  roomId,
  messages: [{
    ...{ messageId: roomId, roomId, seq: 123_456, text: "x".repeat(80) },
    ...{ createdAt: new Date(0).toISOString(), clientMsgId: roomId },
    sender: { id: roomId, username: "somebody" },
  }],
});

async function connect(port: number) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2 });
  // Without a listener an error ends the process.
  client.on("error", () => {});
  return await client.connect();
}

/** Runs a command at a steady rate; resolves when the last is answered. */
async function atRate(
  count: number,
  aSecond: number,
  command: (index: number) => Promise<unknown>,
): Promise<void> {
  const startedAt = performance.now();
  const answers: Promise<unknown>[] = [];
  while (answers.length < count) {
    const due = (performance.now() - startedAt) / 1000 * aSecond;
    while (answers.length < Math.min(due, count)) {
      answers.push(command(answers.length));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(answers);
}

async function measure(
  what: string,
  redisPid: number,
  work: () => Promise<{ here: number; there: number }>,
): Promise<void> {
  const before = [cpuSeconds(Deno.pid), cpuSeconds(redisPid)] as const;
  const { here, there } = await work();
  const cost = (now: number, then: number, count: number) =>
    ((now - then) / count * 1e6).toFixed(1);
  const line = `${what}: ${
    cost(cpuSeconds(Deno.pid), before[0], here)
  } µs here, ${cost(cpuSeconds(redisPid), before[1], there)} µs at Redis\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

/** Publishes from a process of its own: what is heard here is measured here. */
async function publishElsewhere(port: number): Promise<void> {
  const { code, stderr } = await run(Deno.execPath(), [
    ...["run", "-A", new URL(import.meta.url).pathname],
    ...["--publish", String(port)],
  ]);
  if (code !== 0) throw new Error(stderr);
}

async function main(): Promise<void> {
  await using redis = await startRedis();
  const { stdout } = await run("pgrep", ["-f", `redis-server.*:${redis.port}`]);
  const pid = parseInt(stdout);
  const { port } = redis;
  const client = await connect(port);
  const sha = await client.scriptLoad(TAKE_MESSAGES);
  const both = { here: COMMANDS, there: COMMANDS };

  await measure("a limit asked for", pid, async () => {
    await atRate(COMMANDS, COMMANDS_A_SECOND, (index) =>
      client.evalSha(sha, {
        keys: [`{limit:${index % 5_000}}:window`, `{limit:${index % 5_000}}:m`],
        arguments: ["10000", "5", String(index)],
      }));
    return both;
  });
  await measure("a signal told, heard by nobody", pid, async () => {
    await atRate(
      COMMANDS,
      COMMANDS_A_SECOND,
      () => client.sPublish(CHANNEL, SIGNAL),
    );
    return both;
  });
  client.destroy();
  for (const count of [1, 4, 16]) {
    const hearers = await Promise.all(
      Array.from({ length: count }, () => connect(port)),
    );
    let heard = 0;
    for (const hearer of hearers) {
      await hearer.sSubscribe(CHANNEL, (text) => {
        if (JSON.parse(text.slice(roomId.length)).kind === "messages") heard++;
      });
    }
    await measure(`a signal heard by ${count}`, pid, async () => {
      await publishElsewhere(port);
      return { here: heard, there: SIGNALS };
    });
    for (const hearer of hearers) hearer.destroy();
  }
}

if (import.meta.main) {
  if (Deno.args[0] === "--publish") {
    const client = await connect(Number(Deno.args[1]));
    await atRate(
      SIGNALS,
      SIGNALS_A_SECOND,
      () => client.sPublish(CHANNEL, SIGNAL),
    );
    client.destroy();
  } else await main();
}
