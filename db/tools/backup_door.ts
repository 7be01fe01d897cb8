/**
 * How a backup is requested from the process that has the embedded database open: no other can read it.
 * A Unix socket in the data folder: who may open it may read the database's files as well.
 */

import { errorFields, type Log } from "../../log.ts";

const SOCKET = "backup.sock";

interface Answer {
  /** The finished copy, beside the socket. */
  file?: string;
  rows?: number;
  error?: string;
}

/**
 * Makes a backup whenever one is asked for. Where the folder's file system or the length of its name
 * allows no socket this is logged and nothing else: backups then need the server to be stopped.
 *
 * @param makeBackup writes a copy to a path and gives its number of rows
 */
export function openBackupDoor(
  dataDir: string,
  makeBackup: (path: string) => Promise<number>,
  log: Log,
): { close(): Promise<void> } {
  const path = `${dataDir}/${SOCKET}`;
  let listener: Deno.UnixListener;
  try {
    // One that was left by a process that was killed. The data folder's lock says that it is ours.
    removeSocket(path);
    listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
  } catch (error) {
    log.warn("backups need the server to be stopped", errorFields(error));
    return { close: () => Promise.resolve() };
  }
  let closing = false;
  const serving = (async () => {
    for await (const connection of listener) {
      // One after another: each holds up the database.
      await answer(connection, async () => {
        const file = `${dataDir}/backup-${crypto.randomUUID()}`;
        const rows = await makeBackup(file);
        log.info("backup made", { rows });
        return { file, rows };
      }).catch((error) => {
        if (!closing) log.warn("a backup failed", errorFields(error));
      });
    }
  })();
  return {
    async close() {
      closing = true;
      listener.close();
      await serving.catch(() => {});
      removeSocket(path);
    },
  };
}

async function answer(
  connection: Deno.UnixConn,
  make: () => Promise<Answer>,
): Promise<void> {
  let made: Answer;
  try {
    made = await make();
  } catch (error) {
    made = { error: (error as Error).message };
  }
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(made));
    await new Blob([bytes]).stream().pipeTo(connection.writable);
  } catch (error) {
    if (made.file !== undefined) await Deno.remove(made.file);
    throw error;
  }
}

/**
 * Asks the server that has this folder open for a backup and puts it at a path.
 *
 * @returns the number of rows; undefined when no server has the folder open
 */
export async function askForBackup(
  dataDir: string,
  path: string,
): Promise<number | undefined> {
  let connection: Deno.UnixConn;
  try {
    connection = await Deno.connect({
      transport: "unix",
      path: `${dataDir}/${SOCKET}`,
    });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused
    ) return undefined;
    throw error;
  }
  const text = await new Response(connection.readable).text();
  if (text === "") throw new Error("the server stopped before it was done");
  const { file, rows, error }: Answer = JSON.parse(text);
  if (file === undefined) throw new Error(error);
  await moveFile(file, path);
  return rows ?? 0;
}

/** A copy in between, because the two may be on different file systems. */
async function moveFile(from: string, to: string): Promise<void> {
  const unfinished = `${to}.unfinished`;
  await Deno.copyFile(from, unfinished);
  await Deno.chmod(unfinished, 0o600);
  await Deno.rename(unfinished, to);
  await Deno.remove(from);
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
