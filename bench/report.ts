/** Turns figures into the table of bench/README.md. */

import { median } from "./load/figures.ts";
import type { Metrics } from "./load/job.ts";
import { type Cell, type Row, SECTIONS } from "./rows.ts";

/** Each entry's figures, one record a run. */
export type Results = Map<string, Metrics[]>;

const README = new URL("README.md", import.meta.url);
const BEGIN = "<!-- figures: written by deno task bench -->";
const END = "<!-- /figures -->";

export interface Circumstances {
  machine: string;
  /** The machine's load average of the minute before the first run. */
  loadBefore: number;
  runs: number;
  seconds: number;
  warmupSeconds: number;
  /** Whether another checkout was measured too. */
  isCompared: boolean;
}

export function report(results: Results, about: Circumstances): string {
  const lines = [
    `${new Date().toISOString().slice(0, 10)}. ${about.machine}; ` +
    `load average before: ${about.loadBefore.toFixed(1)}.`,
    "",
    `Medians of ${about.runs} alternating runs; ${about.seconds} s measured after ` +
    `${about.warmupSeconds} s of warm-up. "Times better" is above 1 where ChatKet is ahead.`,
    "",
    about.isCompared
      ? "| | ChatKet | other checkout | times better | bare limit | times better |"
      : "| | ChatKet | bare limit | times better |",
    about.isCompared ? "|---|--:|--:|--:|--:|--:|" : "|---|--:|--:|--:|",
  ];
  const rest = about.isCompared ? "| | | | | |" : "| | | |";
  for (const { title, rows } of SECTIONS) {
    const shown = rows.map((row) => rowText(results, row, about.isCompared))
      .filter((text) => text !== undefined);
    if (shown.length > 0) lines.push(`| **${title}** ${rest}`, ...shown);
  }
  return lines.join("\n");
}

function rowText(
  results: Results,
  row: Row,
  isCompared: boolean,
): string | undefined {
  const [ours, against, limit] = [row.ours, row.against, row.limit].map(
    (cell) => cell && valueOf(results, cell),
  );
  if (ours === undefined && against === undefined) return undefined;
  const cells = [
    row.label,
    number(ours, row),
    ...isCompared ? [number(against, row), ratio(ours, against, row)] : [],
    number(limit, row) +
    (limit !== undefined && row.limitName ? ` (${row.limitName})` : ""),
    ratio(ours, limit, row),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The median over the runs; undefined where it was not measured. */
function valueOf(results: Results, [key, metric]: Cell): number | undefined {
  const values = (results.get(key) ?? []).map((metrics) => metrics[metric])
    .filter((value) => typeof value === "number" && Number.isFinite(value));
  return values.length === 0 ? undefined : median(values as number[]);
}

function number(value: number | undefined, row: Row): string {
  if (value === undefined) return "—";
  const scaled = value / (row.unit ?? 1);
  const rounded = Math.abs(scaled) >= 100
    ? Math.round(scaled)
    : Number(scaled.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

function ratio(
  ours: number | undefined,
  other: number | undefined,
  { better }: Row,
): string {
  if (ours === undefined || other === undefined || better === undefined) {
    return "";
  }
  const times = better === "more" ? ours / other : other / ours;
  if (!Number.isFinite(times)) return "";
  return `${Number(times.toPrecision(2)).toLocaleString("en-US")}×`;
}

/** Puts the text between the markers of bench/README.md. */
export async function writeReadme(text: string): Promise<void> {
  const readme = await Deno.readTextFile(README);
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new Error("bench/README.md has lost its markers");
  }
  await Deno.writeTextFile(
    README,
    `${readme.slice(0, begin)}${BEGIN}\n\n${text}\n\n${readme.slice(end)}`,
  );
}
