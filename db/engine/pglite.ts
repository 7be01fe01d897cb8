/** The embedded database: PGlite in a Worker, so that the event loop stays free. */

import { type Dialect, PGliteDialect } from "kysely";
import { UnavailableError } from "./errors.ts";
import type { Durability } from "./pglite_files.ts";
import type { PgliteReply, PgliteRequest } from "./pglite_worker.ts";

/** Size of a file of PostgreSQL's write-ahead log. */
const LOG_SEGMENT_BYTES = 16 * 1024 * 1024;

/** Another process has this data folder open. */
export class DataDirInUseError extends Error {
  override name = "DataDirInUseError";
}

/**
 * Opens the embedded database in a folder, made when missing. PGlite itself has no lock: two
 * processes on one folder destroy each other's writes, so this takes one that the operating
 * system frees even after kill -9.
 *
 * @param options.durability whether a commit waits for the disk
 * @param options.onDied told once when it has died after it was open: nothing but another process brings it back
 * @throws {DataDirInUseError} when another process has it open
 */
export async function openPglite(
  dataDir: string,
  options: { durability: Durability; onDied?: () => void },
): Promise<{ dialect: Dialect }> {
  await Deno.mkdir(dataDir, { recursive: true });
  const lock = await lockDataDir(dataDir);
  try {
    const folder = `${dataDir}/postgres`;
    // PGlite's own files may be read and written by any user of the machine: the folder is closed.
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.chmod(folder, 0o700);
    const isNew = await isEmpty(folder);
    try {
      const pglite = await startWorker(folder, () => lock.close(), options);
      return { dialect: new PGliteDialect({ pglite }) };
    } catch (error) {
      // Half a database would keep every later start from making a whole one.
      if (isNew) await Deno.remove(folder, { recursive: true });
      // Without room PostgreSQL says no more than that it has not come up.
      await tryToWrite(dataDir);
      throw error;
    }
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** @throws what the operating system says, when the folder has no room for what PostgreSQL may write first */
async function tryToWrite(dataDir: string): Promise<void> {
  const path = `${dataDir}/probe`;
  try {
    await Deno.writeFile(path, new Uint8Array(LOG_SEGMENT_BYTES));
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  for await (const _ of Deno.readDir(folder)) return false;
  return true;
}

async function lockDataDir(dataDir: string): Promise<Deno.FsFile> {
  const lock = await Deno.open(`${dataDir}/lock`, {
    create: true,
    write: true,
  });
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new DataDirInUseError(
    `DATA_DIR: ${dataDir} is in use by another ChatKet process; stop it, or set another DATA_DIR`,
  );
}

type PgliteLike = Exclude<
  ConstructorParameters<typeof PGliteDialect>[0]["pglite"],
  () => unknown
>;
type QueryResult = { rows: never[]; affectedRows?: number; fields: never[] };

const CLOSED = "the embedded database is closed";

/**
 * The part of PGlite that Kysely uses, answered by the Worker. Kysely sends one query at a time. When
 * the Worker is gone, closed or dead, every call fails at once.
 */
async function startWorker(
  folder: string,
  onClosed: () => void,
  { durability, onDied = () => {} }: Parameters<typeof openPglite>[1],
): Promise<PgliteLike> {
  const worker = new Worker(new URL("./pglite_worker.ts", import.meta.url), {
    type: "module",
  });
  const waiting = new Map<number, PromiseWithResolvers<QueryResult>>();
  let nextId = 0;
  /** Why nothing is answered any more. */
  let over: string | undefined;
  let isOpen = false;

  const end = (reason: string) => {
    over ??= reason;
    worker.terminate();
    for (const call of waiting.values()) {
      call.reject(new UnavailableError(over));
    }
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<PgliteReply>) => {
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error !== undefined) {
      call?.reject(Object.assign(new Error(), data.error));
    } else {call?.resolve(
        { ...data.result, fields: [] } as unknown as QueryResult,
      );}
  };
  // A Worker does not outlive an uncaught error, and a message to a dead one is lost in silence.
  worker.onerror = (event) => {
    event.preventDefault();
    const isFirst = isOpen && over === undefined;
    end(`the embedded database stopped: ${event.message}`);
    if (isFirst) onDied();
  };

  const call = (request: Omit<PgliteRequest, "id">): Promise<QueryResult> => {
    // Each caller gets an error of its own: Kysely adds the caller's stack to it.
    if (over !== undefined || pglite.closed) {
      return Promise.reject(new UnavailableError(over ?? CLOSED));
    }
    const id = nextId++;
    const reply = Promise.withResolvers<QueryResult>();
    waiting.set(id, reply);
    worker.postMessage({ ...request, id });
    return reply.promise;
  };
  // deno-lint-ignore no-explicit-any -- the signature is Kysely's.
  const query = (sql: string, parameters?: any[]): Promise<any> =>
    call({ kind: "query", sql, parameters: parameters ?? [] });

  const pglite: PgliteLike = {
    closed: false,
    ready: true,
    waitReady: Promise.resolve(),
    query,
    async transaction(run) {
      const begun = query("begin");
      // Kysely waits without end for `run` to be called, and hears of a failure only when it commits
      // or rolls back: `run` is called all the same, and its statements fail as this one did.
      await begun.catch(() => {});
      const inside: typeof query = (sql, parameters) =>
        begun.then(() => query(sql, parameters));
      try {
        const result = await run({
          query: inside,
          rollback: () => inside("rollback"),
        });
        await inside("commit");
        return result;
      } catch (error) {
        await query("rollback");
        throw error;
      }
    },
    async close() {
      if (pglite.closed) return;
      const closed = over === undefined ? call({ kind: "close" }) : undefined;
      pglite.closed = true;
      try {
        await closed;
      } finally {
        end(CLOSED);
        onClosed();
      }
    },
  };

  await call({ kind: "open", folder, durability }).catch((error) => {
    worker.terminate();
    throw error;
  });
  isOpen = true;
  return pglite;
}
