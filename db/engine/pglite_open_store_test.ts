/** What can be wrong with DATA_DIR: one line that says so. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { ConfigError } from "../../config.ts";
import { makePlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";
import { onDataDir, onStore, openStore } from "./open_store.ts";

/** What a start does with the database. */
async function use(dataDir: string): Promise<void> {
  const settings = { databaseUrl: undefined, dataDir };
  await using db = await openStore(settings, silentLog);
  await onStore(settings, () => migrate(db));
}

/** Starting with a folder is refused in one line that names the setting and the fault. */
async function assertRefused(dataDir: string, fault: RegExp) {
  await assert.rejects(use(dataDir), (error) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, /^DATA_DIR: .+; [a-z].+$/);
    assert.match(error.message, fault);
    return true;
  });
}

Deno.test("a folder that cannot be one, or cannot be written", async () => {
  await assertRefused("main.ts", /exists|directory/i);
  await assertRefused("main.ts/below", /directory/i);
  // The kernel's own folders: not even root writes there.
  await assertRefused("/proc/self/chatket", /No such file|denied|permitted/);
  await assertRefused("/proc", /No such file|denied|permitted/);
});

Deno.test("a folder with a database of another version, which stays as it is", async () => {
  await using place = await makePlace("pglite");
  const file = `${place.dataDir}/postgres/PG_VERSION`;
  await Deno.mkdir(`${place.dataDir}/postgres`);
  await Deno.writeTextFile(file, "16\n");
  await assertRefused(place.dataDir, /damaged or of another version/);
  assert.equal(await Deno.readTextFile(file), "16\n");
});

Deno.test("a folder that another process uses, and one of a newer program", async () => {
  await using place = await makePlace("pglite");
  {
    await using db = await openDatabase(place, silentLog);
    await migrate(db);
    await sql`insert into kysely_migration values ('9999_future', 'now')`
      .execute(db);
    await assertRefused(place.dataDir, /in use by another ChatKet process/);
  }
  await assertRefused(place.dataDir, /newer program \(9999_future\)/);
});

Deno.test("an error of the system in the folder names DATA_DIR, whatever the database is; a fault of the program does not", async () => {
  const settings = { databaseUrl: "postgres://h/d", dataDir: "/data" };
  const full = Object.assign(new Error("No space left on device"), {
    code: "ENOSPC",
  });
  await assert.rejects(
    onDataDir(settings, () => Promise.reject(full)),
    /^ConfigError: DATA_DIR: "\/data": No space left on device; accepted: /,
  );
  const fault = new TypeError("undefined is not a function");
  await assert.rejects(
    onDataDir(settings, () => Promise.reject(fault)),
    fault,
  );
});
