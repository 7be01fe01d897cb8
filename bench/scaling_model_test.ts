import assert from "node:assert/strict";
import { FIGURES, WORKLOAD } from "./scaling/figures.ts";
import { AS_BUILT, estimate, load, spread } from "./scaling/model.ts";
import { carries, fill, show } from "./scaling_model.ts";

const near = (value: number, expected: number, part = 0.01) =>
  assert.ok(
    Math.abs(value - expected) <= Math.abs(expected) * part,
    `${value} is not near ${expected}`,
  );

const sized = (connections: number) => {
  const found = estimate(connections);
  assert.ok(found, `${connections} connections`);
  return found;
};

Deno.test("a model of one process has no Redis in it, and adds up by hand", () => {
  const found = sized(1_000);
  assert.equal(found.processes, 1);
  assert.equal(found.redisCommands + found.redisHeard + found.redisCores, 0);
  near(found.messages, 1_000 * 0.5 / 60);
  // 0.6 × 5 + 0.3 × 20 + 0.09 × 100 + 0.01 × 1,000 deliveries a message.
  near(found.deliveries, found.messages * 28);
  near(found.processBytes, 120 * 2 ** 20 + 1_000 * 33_600);
});

Deno.test("a batch costs what was measured: 54 µs a message in batches of 20, alone about 300", () => {
  const { message, commit } = FIGURES.postgres;
  near(message + commit / 20, 54.3, 0.02);
  near(message + commit, 300, 0.15);
});

Deno.test("spread() is one for a lone follower and nears all processes for many", () => {
  near(spread(1, 8), 1);
  near(spread(2, 2), 1.5);
  near(spread(1_000, 8), 8);
});

Deno.test("estimate() gives the fewest processes: within memory and CPU, with one less not", () => {
  for (const connections of [50_000, 100_000, 400_000]) {
    const found = sized(connections);
    assert.ok(found.processBytes <= 1.5 * 2 ** 30);
    assert.ok(found.serverCores <= found.processes * 0.6);
    const fewer = load(
      ...[
        connections,
        found.processes - 1,
        FIGURES,
        WORKLOAD,
        AS_BUILT,
      ] as const,
    );
    assert.ok(
      fewer.processBytes > 1.5 * 2 ** 30 ||
        fewer.serverCores > fewer.processes * 0.6,
      `${found.processes - 1} processes would do for ${connections}`,
    );
  }
});

Deno.test("estimate() is undefined where those online fill every process's memory", () => {
  assert.equal(estimate(12_000_000), undefined);
  assert.ok(estimate(12_000_000, { ...AS_BUILT, presence: "by_interest" }));
});

Deno.test("work grows with the connections, and more than in proportion between processes", () => {
  const [small, large] = [sized(100_000), sized(1_000_000)];
  near(large.messages, small.messages * 10);
  assert.ok(large.serverCores > small.serverCores * 10);
  assert.ok(large.redisHeard > small.redisHeard * 10);
});

Deno.test("fewer writers make larger batches and less work for PostgreSQL", () => {
  const design = {
    ...AS_BUILT,
    presence: "by_interest",
    pooled: true,
  } as const;
  const [all, few] = ["all", 4] as const;
  const everybody = estimate(3_000_000, { ...design, writers: all })!;
  const four = estimate(3_000_000, { ...design, writers: few })!;
  assert.ok(four.messagesPerCommit > 5 && everybody.messagesPerCommit < 2);
  assert.ok(four.postgresCores < everybody.postgresCores);
  assert.ok(four.redisCommands > everybody.redisCommands, "handing over");
});

Deno.test("carries() ends where the limit is reached", () => {
  const most = carries("Redis CPU");
  assert.ok(sized(most).used["Redis CPU"]! < 1);
  assert.ok(sized(most * 1.05).used["Redis CPU"]! > 1);
});

Deno.test("show() keeps three digits", () => {
  assert.deepEqual([0, 0.01234, 3.14159, 83.33, 1234.5].map(show), [
    ...["—", "0.012", "3.14", "83.3", "1,230"],
  ]);
});

Deno.test("the tables in docs/scaling.md are those of the model", async () => {
  const path = new URL("../docs/scaling.md", import.meta.url);
  const document = await Deno.readTextFile(path);
  // The formatter pads the cells.
  const bare = (text: string) =>
    text.replaceAll(/ +/g, " ").replaceAll(/-+(?=:? \|)/g, "-");
  assert.equal(bare(fill(document)), bare(document));
});
