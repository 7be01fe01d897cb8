import { sql } from "kysely";
import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { useTestDatabase } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { startHousekeeping } from "../housekeeping.ts";

const test = useTestDatabase();

/** Where in the write-ahead log a restart would begin. */
async function redoPosition(): Promise<string | undefined> {
  const { rows } = await sql<{ position: string }>`
    select redo_lsn::text as position from pg_control_checkpoint()`
    .execute(test.db);
  return rows[0]?.position;
}

Deno.test("housekeeping makes a checkpoint of the embedded database every hour: it makes none by itself", async () => {
  const clock = createFakeClock();
  const job = startHousekeeping({
    db: test.db,
    isEmbedded: true,
    messageRetentionDays: undefined,
    clock: clock.now,
    after: clock.after,
    log: silentLog,
  });
  for (const wait of [60_000, 3_600_000]) {
    const before = await redoPosition();
    await sql`create table if not exists anything (n int)`.execute(test.db);
    await sql`insert into anything values (1)`.execute(test.db);
    assert.equal(await redoPosition(), before);
    await clock.advance(wait);
    // The next round is set when this one is done.
    while (clock.waiting === 0) {
      await sql`select 1`.execute(test.db);
    }
    assert.notEqual(await redoPosition(), before);
  }
  await job.stop();
});
