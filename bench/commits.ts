/** What the database alone can do: commits of one row each, by pgbench and by postgres.js. */

import { type BenchPostgres, connect } from "./database.ts";
import { percentile } from "./load/figures.ts";
import type { Metrics } from "./load/job.ts";

const TABLE = `create table line (
  id uuid primary key default gen_random_uuid(), room int not null, text text not null,
  created_at timestamptz not null default now())`;
const TEXT =
  "a line of chat as long as those the load sends, that is eighty characters long..";
const INSERT = `insert into line (room, text) values (1, '${TEXT}')`;

/** As many as the scenarios have senders. */
const WRITERS = 20;

export async function measureCommits(
  postgres: BenchPostgres,
  seconds: number,
): Promise<Metrics> {
  const url = await postgres.createDatabase();
  const client = connect(url);
  await client.unsafe(TABLE);
  await client.end();
  const one = await byDriver(url, 1, seconds);
  const many = await byDriver(url, WRITERS, seconds);
  return {
    pgOnePerSecond: one.perSecond,
    pgOneP50Ms: one.p50Ms,
    pgManyPerSecond: many.perSecond,
    pgManyP50Ms: many.p50Ms,
    pgbenchOnePerSecond: await byPgbench(url, 1, seconds),
    pgbenchManyPerSecond: await byPgbench(url, WRITERS, seconds),
  };
}

async function byDriver(
  url: string,
  writers: number,
  seconds: number,
): Promise<{ perSecond: number; p50Ms: number }> {
  const pool = connect(url, writers);
  const times: number[] = [];
  const startedAt = performance.now();
  const write = async () => {
    while (performance.now() < startedAt + seconds * 1000) {
      const askedAt = performance.now();
      await pool`insert into line (room, text) values (${1}, ${TEXT})`;
      times.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const elapsed = (performance.now() - startedAt) / 1000;
  await pool.end();
  return {
    perSecond: times.length / elapsed,
    p50Ms: percentile(times, 0.5),
  };
}

/** NaN where pgbench is not installed. */
async function byPgbench(
  url: string,
  clients: number,
  seconds: number,
): Promise<number> {
  const pgbench = await findPgbench();
  if (pgbench === undefined) return NaN;
  const script = await Deno.makeTempFile({ suffix: ".sql" });
  try {
    await Deno.writeTextFile(script, `${INSERT};\n`);
    const { stdout } = await new Deno.Command(pgbench, {
      args: [
        ...["-n", "-M", "prepared", "-f", script, "-T"],
        ...[String(Math.ceil(seconds)), "-c", String(clients), url],
      ],
      stderr: "null",
    }).output();
    return Number(
      /^tps = ([\d.]+)/m.exec(new TextDecoder().decode(stdout))?.[1],
    );
  } finally {
    await Deno.remove(script);
  }
}

async function findPgbench(): Promise<string | undefined> {
  const { stdout } = await new Deno.Command("sh", {
    args: [
      "-c",
      "ls /usr/lib/postgresql/*/bin/pgbench 2>/dev/null; command -v pgbench",
    ],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").find((line) =>
    line.startsWith("/")
  );
}
