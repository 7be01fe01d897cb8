/** What an attack costs the server process in memory: before it, at its peak, and when it is over. */

import assert from "node:assert/strict";
import type { TestCluster } from "../faults/test_cluster.ts";
import { report } from "../faults/report.ts";
import { sleep } from "../faults/sleep.ts";

const MEGABYTE = 1024 * 1024;

/** What the process may have kept when an attack is over, in bytes: heaps grow to a size and stay there. */
const KEPT_BYTES = 60 * MEGABYTE;

/** The same with the embedded database in it, whose page cache (128 MB) fills with what is written. */
const KEPT_WITH_DATABASE_BYTES = 120 * MEGABYTE;

/**
 * Rounds of ordinary work after which memory must have come back. What is in use while the young
 * heap is swept moves to the old one, which is swept only when work has filled it: 8 rounds where
 * that was forced. Counted, not timed: a busy machine takes longer for as many.
 */
const MOST_ROUNDS = 60;

/**
 * Runs an attack, prints what it cost and asserts that it costs nothing when it is over.
 *
 * @param attack ends with all its connections closed
 * @param mostBytes what the peak may lie above the beginning
 * @param life a round of ordinary work, done until memory is back: an idle heap is never swept
 */
export async function showMemory(
  { engine, server }: TestCluster,
  name: string,
  mostBytes: number,
  attack: () => Promise<void>,
  life: () => Promise<void>,
): Promise<void> {
  const kept = engine === "pglite" ? KEPT_WITH_DATABASE_BYTES : KEPT_BYTES;
  await resetPeak(server.pid);
  const before = await server.residentBytes();
  await attack();
  let after = await server.residentBytes();
  for (let n = 0; n < MOST_ROUNDS && after > before + kept; n++) {
    await life();
    await sleep(200);
    after = await server.residentBytes();
  }
  const peak = await peakBytes(server.pid);
  report(
    `${name}: RSS ${megabytes(before)} MB before, ${
      megabytes(peak)
    } MB at the peak, ${megabytes(after)} MB after`,
  );
  assert.ok(peak - before < mostBytes, `${name}: the peak`);
  assert.ok(after - before < kept, `${name}: it does not come back`);
}

/** Linux: the peak begins again at what is resident now. */
async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5", { create: false });
}

async function peakBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}
