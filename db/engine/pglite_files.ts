/**
 * The files of the embedded database, written so that a power loss cannot undo a commit. PGlite starts
 * PostgreSQL with `fsync` off, and its file system has no `fsync`: both are mended here.
 */

import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { closeSync, fsyncSync, openSync } from "node:fs";

/** What a commit waits for: `full` the disk, `relaxed` only the operating system. */
export type Durability = "full" | "relaxed";

/** With `relaxed` commits reach the disk within this time, in milliseconds. */
export const RELAXED_SYNC_MS = 1_000;

/** How PGlite starts PostgreSQL, but with `fsync` on, in the one way that these files have. */
export const START_PARAMETERS: readonly string[] = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  ...["-c", "wal_sync_method=fsync"],
];

export interface PgliteFilesOptions {
  readonly durability: Durability;
  /** Makes what was written to a file or a folder's names durable; returns when the disk has it. */
  readonly sync?: (path: string) => void;
  /** Runs something once, so many milliseconds later. */
  readonly after?: (ms: number, run: () => void) => void;
}

/** An open file, as Emscripten's file system hands it over. */
interface FileStream {
  readonly node: object;
}

/** Emscripten's file system over `node:fs`: the part that is used here. */
interface NodeFileSystem {
  readonly stream_ops: {
    fsync?: (stream: FileStream) => number;
    write: (stream: FileStream, ...rest: unknown[]) => number;
  };
  realPath(node: object): string;
  /** Turns an error of the operating system into one that PostgreSQL understands. */
  tryFSOperation<T>(run: () => T): T;
}

export class PgliteFiles extends NodeFS {
  readonly #durability: Durability;
  readonly #sync: (path: string) => void;
  readonly #after: (ms: number, run: () => void) => void;
  /** Files of the write-ahead log that wait for the disk, with `relaxed`. */
  readonly #unsynced = new Set<string>();

  constructor(folder: string, options: PgliteFilesOptions) {
    super(folder);
    this.#durability = options.durability;
    this.#sync = options.sync ?? syncPath;
    this.#after = options.after ?? ((ms, run) => setTimeout(run, ms));
  }

  override async init(
    ...[pglite, options]: Parameters<NodeFS["init"]>
  ): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const preRun = (module: unknown) =>
      this.#install((module as { NODEFS: NodeFileSystem }).NODEFS);
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [...emscriptenOpts.preRun ?? [], preRun],
      } as typeof emscriptenOpts,
    };
  }

  /** Brings what waits to the disk. */
  #flush(): void {
    for (const path of this.#unsynced) this.#sync(path);
    this.#unsynced.clear();
  }

  #install(files: NodeFileSystem): void {
    const operations = files.stream_ops;
    operations.fsync = ({ node }) => {
      const path = files.realPath(node);
      files.tryFSOperation(() =>
        this.#durability === "relaxed" && isSegment(path)
          ? this.#postpone(path)
          : this.#sync(path)
      );
      return 0;
    };
    if (this.#durability === "full") return;
    const { write } = operations;
    operations.write = (stream, ...rest) => {
      // A table's page must not reach the disk before the log that says how it came about.
      if (this.#unsynced.size > 0 && !isLog(files.realPath(stream.node))) {
        files.tryFSOperation(() => this.#flush());
      }
      return write(stream, ...rest);
    };
  }

  #postpone(path: string): void {
    if (this.#unsynced.size === 0) {
      this.#after(RELAXED_SYNC_MS, () => this.#flush());
    }
    this.#unsynced.add(path);
  }
}

/** Whether a path is of the write-ahead log: all that a commit has to write. */
function isLog(path: string): boolean {
  return /[\\/]pg_wal[\\/]/.test(path);
}

/**
 * Whether a path is a segment of the write-ahead log. Only these wait for the disk: a new segment is made
 * under another name (`xlogtemp.42`), synced, and renamed, so that its first name is gone when it is due.
 */
function isSegment(path: string): boolean {
  return /[\\/]pg_wal[\\/][0-9A-F]{24}$/.test(path);
}

/** Waits until the disk has a file's content, or a folder's names. */
export function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
