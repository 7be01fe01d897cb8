import assert from "node:assert/strict";
import { engineUnderTest } from "../helpers/database.ts";
import { postgresMissing } from "../helpers/postgres.ts";
import { faultRun } from "./fault_run.ts";
import { report } from "./report.ts";

const engine = engineUnderTest();

/** `deno task soak` tries other seeds. */
const SEED = 1;

Deno.test({
  name:
    "nothing acked is lost, doubled or out of order while everything breaks",
  ignore: engine === "postgres" && await postgresMissing() !== undefined,
  async fn() {
    const { counts, faults, violations, stored, seconds } = await faultRun({
      engine,
      seed: SEED,
    });
    assert.deepEqual(violations, [], `seed ${SEED} on ${engine}`);
    const broken = [...faults.values()].reduce((a, b) => a + b, 0);
    report(
      `${broken} faults in ${seconds.toFixed(0)} s, ${stored} messages, ` +
        `${counts.get("connects")} connects, ${
          counts.get("recoveries")
        } recoveries`,
    );
    // A run in which nothing happened proves nothing.
    assert.ok(stored > 200, `${stored} messages`);
    assert.ok(broken > 25, `${broken} faults`);
  },
});
