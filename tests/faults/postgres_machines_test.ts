import assert from "node:assert/strict";
import { redisMissing } from "../helpers/redis.ts";
import { isQuietMachine } from "../helpers/timing.ts";
import { faultRun } from "./fault_run.ts";
import { report } from "./report.ts";

/** `deno task soak --machines=3` tries other seeds, and all other faults. */
const SEED = 1;

/** What can only happen where several processes are one chat; each takes seconds. */
const FAULTS = isQuietMachine
  ? /Redis away|loses its lines|all machines killed/
  : /Redis away|loses its lines/;

Deno.test({
  name:
    "three machines are one chat while Redis and its lines break: nothing acked is lost, doubled or out of order",
  ignore: await redisMissing() !== undefined,
  async fn() {
    const result = await faultRun({
      engine: "postgres",
      machines: 3,
      seed: SEED,
      only: FAULTS,
    });
    const { counts, faults, violations, stored, seconds, crossings } = result;
    assert.deepEqual(violations, [], `seed ${SEED}`);
    const broken = [...faults.values()].reduce((a, b) => a + b, 0);
    const away = crossings.get("while Redis is away") ?? [];
    report(
      `${broken} faults in ${seconds.toFixed(0)} s, ${stored} messages, ` +
        `${
          counts.get("connects")
        } connects; without Redis from one machine to another in ` +
        `${Math.max(...away).toFixed(0)} ms at most`,
    );
    // A run in which nothing happened proves nothing.
    assert.ok(stored > 200, `${stored} messages`);
    assert.ok(broken > 15, `${broken} faults`);
    assert.ok(away.length > 10, "messages crossed without Redis");
  },
});
