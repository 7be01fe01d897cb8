/** How long things take: a promise to keep on a quiet machine, and no reason to stop a change on a busy one. */

import assert from "node:assert/strict";

/** Whether `deno task shows` is running, which has the machine to itself and time for more. */
export const isQuietMachine = Deno.env.get("CHATKET_SHOWS") === "yes";

/**
 * Asserts that something took less time than its limit, in `deno task shows`. In the gate the limit of
 * the waiting itself must do: what never comes fails there, too.
 *
 * @param tookMs milliseconds
 * @param limitMs milliseconds
 */
export function expectTook(what: string, tookMs: number, limitMs: number) {
  if (!isQuietMachine) return;
  assert.ok(
    tookMs < limitMs,
    `${what}: ${tookMs.toFixed(0)} ms, and ${limitMs} ms is the limit`,
  );
}

/** A clock that runs: gives the milliseconds since it was made. */
export function stopwatch(): () => number {
  const startedAt = performance.now();
  return () => performance.now() - startedAt;
}
