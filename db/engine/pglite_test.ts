import { sql } from "kysely";
import assert from "node:assert/strict";
import { makeMigratedPlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { type Database, openDatabase, pingDatabase } from "./database.ts";
import { isUnavailable, sqlState } from "./errors.ts";
import { DataDirInUseError } from "./pglite.ts";
import type { Durability } from "./pglite_files.ts";

const WRITER = new URL("../../tests/helpers/pglite_writer.ts", import.meta.url);

/** Starts a process that stores messages until it is killed. */
function startWriter(dataDir: string, durability: Durability = "full") {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WRITER.pathname, dataDir, durability],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  const lines = () => printed.split("\n").slice(0, -1);
  return {
    /** Resolves when so many lines are there; rejects when the process ends before. */
    async printedAtLeast(count: number): Promise<void> {
      while (lines().length < count) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the writer ended; printed:\n${printed}`);
        printed += value;
      }
    },
    /** Kills it and gives all that it printed. */
    async kill(): Promise<string[]> {
      child.kill("SIGKILL");
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        printed += value;
      }
      await child.status;
      return lines();
    },
  };
}

Deno.test("openDatabase() refuses a folder that another process has open, until that one is dead", async () => {
  await using place = await makeMigratedPlace("pglite");
  const writer = startWriter(place.dataDir);
  try {
    await writer.printedAtLeast(1);
    await assert.rejects(
      openDatabase(place, silentLog),
      (error: Error) =>
        error instanceof DataDirInUseError &&
        error.message.includes(place.dataDir),
    );
  } finally {
    await writer.kill();
  }
  await using db = await openDatabase(place, silentLog);
  await sql`select count(*) from messages`.execute(db);
});

Deno.test("openDatabase() refuses a folder that this process has open", async () => {
  await using place = await makeMigratedPlace("pglite");
  {
    await using _first = await openDatabase(place, silentLog);
    await assert.rejects(openDatabase(place, silentLog), DataDirInUseError);
  }
  await using _again = await openDatabase(place, silentLog);
});

for (const durability of ["full", "relaxed"] as const) {
  Deno.test(`the embedded database keeps every acknowledged message through kill -9, with ${durability} durability`, async () => {
    await using place = await makeMigratedPlace("pglite");
    const writer = startWriter(place.dataDir, durability);
    await writer.printedAtLeast(51);
    const acknowledged = (await writer.kill()).slice(1).map(Number);
    await using db = await openDatabase(place, silentLog);
    const rows = await db.selectFrom("messages").select("seq").orderBy("seq")
      .execute();
    const stored = rows.map((row) => row.seq);
    assert.deepEqual(stored.slice(0, acknowledged.length), acknowledged);
    assert.deepEqual(stored, stored.map((_, n) => n + 1));
    // One more may have been stored whose number was not printed yet.
    assert.ok(stored.length - acknowledged.length <= 1);
  });
}

Deno.test("the embedded database leaves the event loop free while it works", async () => {
  await using place = await makeMigratedPlace("pglite");
  await using db = await openDatabase(place, silentLog);
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 10);
  await sql`select pg_sleep(1)`.execute(db);
  clearInterval(ticking);
  assert.ok(ticks >= 10, `${ticks} ticks in a second`);
});

Deno.test("the embedded database undoes a failed transaction and gives the SQLSTATE of its error", async () => {
  await using place = await makeMigratedPlace("pglite");
  await using db = await openDatabase(place, silentLog);
  await sql`create table numbers (n int primary key)`.execute(db);
  const failing = db.transaction().execute(async (transaction) => {
    await sql`insert into numbers values (1)`.execute(transaction);
    await sql`insert into numbers values (1)`.execute(transaction);
  });
  await assert.rejects(failing, (error) => sqlState(error) === "23505");
  const { rows } = await sql`select * from numbers`.execute(db);
  assert.deepEqual(rows, []);
});

Deno.test("the embedded database answers queries that were sent before it is closed", async () => {
  await using place = await makeMigratedPlace("pglite");
  const db = await openDatabase(place, silentLog);
  const answers = Promise.all(
    Array.from(
      { length: 20 },
      (_, n) => sql`select ${n}::int as n`.execute(db),
    ),
  );
  await answers;
  await db.destroy();
  await assert.rejects(sql`select 1`.execute(db));
});

/** Opens the embedded database, and gives what ends its Worker with an uncaught error. */
async function openMortal(
  dataDir: string,
): Promise<{ db: Database; killWorker(): Promise<void>; deaths(): number }> {
  const RealWorker = globalThis.Worker;
  let worker: Worker | undefined;
  let deaths = 0;
  globalThis.Worker = class extends RealWorker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      worker = this;
    }
  };
  try {
    const db = await openDatabase(
      { databaseUrl: undefined, dataDir },
      silentLog,
      () => deaths++,
    );
    const killWorker = () =>
      new Promise<void>((resolve) => {
        worker!.addEventListener("error", () => resolve(), { once: true });
        // Not a request: nothing in the Worker catches what comes of it.
        worker!.postMessage(null);
      });
    return { db, killWorker, deaths: () => deaths };
  } finally {
    globalThis.Worker = RealWorker;
  }
}

/** Fails unless the database is said to be away, within five seconds. */
async function assertAway(query: Promise<unknown>): Promise<void> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => silence.reject(new Error("hangs")), 5_000);
  try {
    await assert.rejects(
      Promise.race([query, silence.promise]),
      (error: Error) =>
        isUnavailable(error) && /^the embedded database/.test(error.message),
    );
  } finally {
    clearTimeout(timer);
  }
}

Deno.test("when the embedded database's Worker has died, every query fails at once, also in a transaction", async () => {
  await using place = await makeMigratedPlace("pglite");
  const { db, killWorker, deaths } = await openMortal(place.dataDir);
  assert.equal(deaths(), 0);
  await killWorker();
  assert.equal(deaths(), 1);
  await assertAway(pingDatabase(db));
  await assertAway(pingDatabase(db));
  await assertAway(db.transaction().execute(pingDatabase));
  await assertAway(db.transaction().execute(() => Promise.resolve()));
  await assertAway(pingDatabase(db));
  await db.destroy();
});

Deno.test("a transaction that is open when the embedded database's Worker dies fails", async () => {
  await using place = await makeMigratedPlace("pglite");
  const { db, killWorker } = await openMortal(place.dataDir);
  await assertAway(
    db.transaction().execute(async (transaction) => {
      await pingDatabase(transaction);
      await killWorker();
      await pingDatabase(transaction);
    }),
  );
  await db.destroy();
});

Deno.test("destroy() frees the folder of an embedded database whose Worker has died, and what was stored is there", async () => {
  await using place = await makeMigratedPlace("pglite");
  {
    const { db, killWorker } = await openMortal(place.dataDir);
    await sql`create table numbers (n int)`.execute(db);
    await sql`insert into numbers values (1)`.execute(db);
    await killWorker();
    await assertAway(pingDatabase(db));
    await db.destroy();
  }
  await using db = await openDatabase(place, silentLog);
  const { rows } = await sql`select n from numbers`.execute(db);
  assert.deepEqual(rows, [{ n: 1 }]);
});
