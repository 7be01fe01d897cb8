import { PGlite } from "@electric-sql/pglite";
import { dataDir as prepopulated } from "@electric-sql/pglite-prepopulatedfs";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { basename, dirname, join, relative } from "node:path";
import { makePlace } from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { openDatabase } from "./database.ts";
import {
  type Durability,
  PgliteFiles,
  RELAXED_SYNC_MS,
  START_PARAMETERS,
} from "./pglite_files.ts";

/**
 * A disk that forgets at a power loss what was not synced: contents of files and names in folders, each
 * as of their last sync. As on ext4 and XFS, the sync of a new file includes its name.
 */
class ForgetfulDisk implements AsyncDisposable {
  readonly folder: string;
  readonly #root = Deno.makeTempDirSync({ prefix: "chatket-disk-" });
  /** Names and their inodes, by folder. */
  readonly #names = new Map<string, Map<string, number>>();
  readonly #folders = new Set<number>();

  constructor() {
    this.folder = join(this.#root, "now");
    Deno.mkdirSync(this.folder);
    Deno.mkdirSync(join(this.#root, "synced"));
  }

  /** What the operating system's `fsync` does. */
  readonly sync = (path: string) => {
    const { isDirectory, ino } = Deno.statSync(path);
    if (!isDirectory) {
      Deno.copyFileSync(path, this.#contentOf(ino!));
      this.#names.get(relative(this.folder, dirname(path)))
        ?.set(basename(path), ino!);
      return;
    }
    const names = new Map<string, number>();
    for (const entry of Deno.readDirSync(path)) {
      const inode = Deno.lstatSync(join(path, entry.name)).ino!;
      if (entry.isDirectory) this.#folders.add(inode);
      names.set(entry.name, inode);
    }
    this.#names.set(relative(this.folder, path), names);
  };

  /** The folder as it is found after the power has come back. */
  afterPowerLoss(): string {
    const folder = join(this.#root, "after");
    const restore = (path: string) => {
      Deno.mkdirSync(join(folder, path));
      for (const [name, inode] of this.#names.get(path) ?? []) {
        if (this.#folders.has(inode)) restore(join(path, name));
        else {
          try {
            Deno.copyFileSync(
              this.#contentOf(inode),
              join(folder, path, name),
            );
          } catch {
            Deno.writeTextFileSync(join(folder, path, name), "");
          }
        }
      }
    };
    restore("");
    return folder;
  }

  #contentOf(inode: number): string {
    return join(this.#root, "synced", String(inode));
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.#root, { recursive: true });
  }
}

async function openOn(
  disk: ForgetfulDisk,
  durability: Durability,
  after?: (ms: number, run: () => void) => void,
) {
  return await PGlite.create({
    fs: new PgliteFiles(disk.folder, {
      durability,
      sync: disk.sync,
      ...after === undefined ? {} : { after },
    }),
    startParams: [...START_PARAMETERS],
    loadDataDir: await prepopulated(),
  });
}

/** The numbers that are found in the table after the power loss. */
async function numbersAfterPowerLoss(disk: ForgetfulDisk): Promise<number[]> {
  const pglite = await PGlite.create(disk.afterPowerLoss());
  try {
    const { rows } = await pglite.query<{ n: number }>(
      "select n from numbers order by n",
    );
    return rows.map((row) => row.n);
  } finally {
    await pglite.close();
  }
}

async function store(pglite: PGlite, numbers: readonly number[]) {
  for (const n of numbers) {
    await pglite.query("insert into numbers values ($1)", [n]);
  }
}

Deno.test("PgliteFiles with full durability: a power loss keeps every answered commit, also around a checkpoint", async () => {
  await using disk = new ForgetfulDisk();
  const pglite = await openOn(disk, "full");
  await pglite.exec("create table numbers (n int primary key)");
  await store(pglite, [1, 2, 3]);
  await pglite.exec("checkpoint");
  await store(pglite, [4, 5]);
  assert.deepEqual(await numbersAfterPowerLoss(disk), [1, 2, 3, 4, 5]);
  await pglite.close();
});

Deno.test("PgliteFiles with relaxed durability: a power loss keeps what is older than a second, and the rest is whole", async () => {
  await using disk = new ForgetfulDisk();
  const due: { ms: number; run: () => void }[] = [];
  const runDue = () => due.splice(0).forEach(({ run }) => run());
  const pglite = await openOn(
    disk,
    "relaxed",
    (ms, run) => due.push({ ms, run }),
  );
  await pglite.exec("create table numbers (n int primary key)");
  runDue();
  await store(pglite, [1, 2]);
  assert.deepEqual(due.map(({ ms }) => ms), [RELAXED_SYNC_MS]);
  runDue();
  await store(pglite, [3]);
  assert.deepEqual(await numbersAfterPowerLoss(disk), [1, 2]);
  await pglite.close();
});

Deno.test("PgliteFiles with relaxed durability: more than one file of the log is written, and nothing is lost", async () => {
  await using disk = new ForgetfulDisk();
  const due: (() => void)[] = [];
  const runDue = () => due.splice(0).forEach((run) => run());
  const pglite = await openOn(disk, "relaxed", (_ms, run) => due.push(run));
  await pglite.exec("create table numbers (n int primary key, filling text)");
  const segments = () =>
    [...Deno.readDirSync(join(disk.folder, "pg_wal"))]
      .filter(({ name }) => /^[0-9A-F]{24}$/.test(name)).length;
  const before = segments();
  let n = 0;
  // A new file of the log is made under another name, synced, and then renamed.
  while (segments() < before + 2) {
    await pglite.query(
      "insert into numbers select $1::int, string_agg(md5(i::text || $1::int), '') from generate_series(1, 30000) i",
      [++n],
    );
  }
  runDue();
  const expected = Array.from({ length: n }, (_, index) => index + 1);
  assert.deepEqual(await numbersAfterPowerLoss(disk), expected);
  await pglite.close();
});

Deno.test("PgliteFiles with relaxed durability: no page reaches a table's file before its log is on the disk", async () => {
  await using disk = new ForgetfulDisk();
  const written: string[] = [];
  const sync = (path: string) => {
    written.push(basename(dirname(path)));
    disk.sync(path);
  };
  const pglite = await PGlite.create({
    fs: new PgliteFiles(disk.folder, {
      durability: "relaxed",
      sync,
      after: () => {},
    }),
    startParams: [...START_PARAMETERS],
    loadDataDir: await prepopulated(),
  });
  await pglite.exec("create table numbers (n int primary key)");
  await store(pglite, [1]);
  written.length = 0;
  // Writes the tables' pages, then syncs their files.
  await pglite.exec("checkpoint");
  const tables = written.findIndex((folder) => /^\d+$/.test(folder));
  const log = written.indexOf("pg_wal");
  assert.ok(log >= 0 && log < tables, written.join(" "));
  await pglite.close();
});

Deno.test("the embedded database waits for the disk at every commit", async () => {
  await using place = await makePlace("pglite");
  await using db = await openDatabase(place, silentLog);
  const setting = async (name: string) =>
    (await sql<{ value: string }>`select current_setting(${name}) as value`
      .execute(db)).rows[0]?.value;
  assert.equal(await setting("fsync"), "on");
  assert.equal(await setting("synchronous_commit"), "on");
  assert.equal(await setting("wal_sync_method"), "fsync");
});
