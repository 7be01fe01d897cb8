/**
 * How much of everything a chat of a given size needs: `deno run bench/scaling_model.ts` prints the
 * tables of docs/scaling.md. It measures nothing: change a figure in scaling/figures.ts and run it
 * again; with `-A` and `--write` it puts the tables into the document.
 */

import { WORKLOAD, type Workload } from "./scaling/figures.ts";
import {
  AS_BUILT,
  type Design,
  type Estimate,
  estimate,
} from "./scaling/model.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

type Row = readonly [string, (found: Estimate) => string];

const GIB = 2 ** 30;

const ROWS: readonly Row[] = [
  ["messages/s", (e) => show(e.messages)],
  ["deliveries/s", (e) => show(e.deliveries)],
  ["**processes**", (e) => show(e.processes)],
  ["as many because of", (e) => e.processes === 1 ? "—" : e.processesFor],
  ["server cores at work", (e) => show(e.serverCores)],
  ["memory of a process, GiB", (e) => show(e.processBytes / GIB)],
  ["to clients, MB/s", (e) => show(e.egressBytes / 1e6)],
  ["of it rosters", (e) => show(e.rosterBytes / 1e6)],
  ["all back after a restart of everything, s", (e) => show(e.allBackSeconds)],
  ["PostgreSQL commits/s", (e) => show(e.commits)],
  ["PostgreSQL cores at work", (e) => show(e.postgresCores)],
  ["of them for newest numbers", (e) => show(e.newestCores)],
  ["Redis commands/s", (e) => show(e.redisCommands)],
  ["signals heard/s", (e) => show(e.redisHeard)],
  ["from Redis, MB/s", (e) => show(e.redisBytes / 1e6)],
  ["Redis cores at work", (e) => show(e.redisCores)],
  ["**the tightest limit**", (e) => tightest(e)],
];

const BY_INTEREST: Design = {
  ...AS_BUILT,
  presence: "by_interest",
  pooled: true,
};
const SPARING: Design = { ...BY_INTEREST, newestSeconds: 60 };
const SPREAD: Design = { ...SPARING, postgresShards: 8, redisNodes: 30 };

/** What the largest chat could be built like: name, design of a cell, number of cells. */
const DESIGNS: readonly (readonly [string, Design, number])[] = [
  ["as built", AS_BUILT, 1],
  ["presence by interest, a pooler", BY_INTEREST, 1],
  ["and newest numbers once a minute", SPARING, 1],
  ["and 8 databases, 30 Redis nodes", SPREAD, 1],
  ["and 20 writers", { ...SPREAD, writers: 20 }, 1],
  ["20 cells, each as built", AS_BUILT, 20],
];

/** Three digits that mean something. */
export function show(value: number): string {
  if (value === 0) return "—";
  const rounded = Number(value.toPrecision(value < 1 ? 2 : 3));
  return rounded >= 1_000 ? rounded.toLocaleString("en") : String(rounded);
}

function tightest({ used }: Estimate): string {
  const [name, part] = Object.entries(used).sort((a, b) => b[1] - a[1])[0]!;
  return `${name}, ${show(part * 100)} %`;
}

/** Everything a number of equal, separate chats need together; each limit is one chat's. */
function times(found: Estimate, cells: number): Estimate {
  const all = { ...found };
  for (
    const key of [
      ...["connections", "messages", "deliveries", "processes", "serverCores"],
      ...[
        "egressBytes",
        "rosterBytes",
        "commits",
        "postgresCores",
        "newestCores",
      ],
      ...["redisCommands", "redisHeard", "redisBytes", "redisCores"],
    ] as const
  ) {
    const name = key as "messages";
    all[name] = found[name] * cells;
  }
  return all;
}

function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = heads.map((_, index) => index === 0 ? "---" : "--:");
  return [line(heads), line(rule), ...rows.map(line)].join("\n");
}

function estimates(
  heads: readonly string[],
  found: readonly (Estimate | undefined)[],
): string {
  return table(
    ["", ...heads],
    ROWS.map(([name, text]) => [
      name,
      ...found.map((each) => each === undefined ? "none is enough" : text(each))
        .map((cell, index) =>
          found[index] === undefined && name !== "**processes**" ? "" : cell
        ),
    ]),
  );
}

/** How many connections a design carries until a limit is reached. */
export function carries(
  limit: string,
  design: Design = AS_BUILT,
  workload: Workload = WORKLOAD,
): number {
  let [low, high] = [1_000, 100_000_000];
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    const found = estimate(middle, design, workload);
    if (found !== undefined && found.used[limit]! < 1) low = middle;
    else high = middle;
  }
  return low;
}

/** The tables by the names under which the document has them. */
export function tables(): Record<string, string> {
  const found = SIZES.map((size) => estimate(size));
  const busy = {
    ...WORKLOAD,
    messagesPerUserPerMinute: 4 * WORKLOAD.messagesPerUserPerMinute,
  };
  return {
    sizes: estimates(SIZES.map((size) => size.toLocaleString("en")), found),
    limits: table(
      ["limit", "reached at connections", "with four times the messages"],
      Object.keys(found[0]!.used).map((limit) => [
        limit,
        show(carries(limit)),
        show(carries(limit, AS_BUILT, busy)),
      ]),
    ),
    designs: estimates(
      DESIGNS.map(([name]) => name),
      DESIGNS.map(([, design, cells]) => {
        const each = estimate(SIZES.at(-1)! / cells, design);
        return each && times(each, cells);
      }),
    ),
  };
}

/** The document with the tables of today. */
export function fill(document: string): string {
  let text = document;
  for (const [name, rows] of Object.entries(tables())) {
    const place = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`);
    if (!place.test(text)) throw new Error(`no place for the table ${name}`);
    text = text.replace(
      place,
      (_, start, end) => `${start}\n\n${rows}\n\n${end}`,
    );
  }
  return text;
}

if (import.meta.main) {
  if (Deno.args.includes("--write")) {
    const path = new URL("../docs/scaling.md", import.meta.url);
    await Deno.writeTextFile(path, fill(await Deno.readTextFile(path)));
    await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "-q", path.pathname],
    }).output();
  } else {
    const write = (text: string) =>
      Deno.stdout.writeSync(new TextEncoder().encode(text));
    for (const [name, rows] of Object.entries(tables())) {
      write(`${name}\n\n${rows}\n\n`);
    }
  }
}
