/** Runs PGlite away from the event loop that serves sockets. Speaks to `pglite.ts` only. */

import { PGlite, types } from "@electric-sql/pglite";
import { dataDir as prepopulated } from "@electric-sql/pglite-prepopulatedfs";
import { dirname } from "node:path";
import {
  type Durability,
  PgliteFiles,
  START_PARAMETERS,
  syncPath,
} from "./pglite_files.ts";

export type PgliteRequest = { id: number; kind: "open" | "query" | "close" } & {
  folder?: string;
  durability?: Durability;
  sql?: string;
  parameters?: unknown[];
};

export interface PgliteReply {
  id: number;
  result?: { rows: unknown[]; affectedRows?: number };
  error?: Record<string, unknown>;
}

declare const self: {
  onmessage: ((event: MessageEvent<PgliteRequest>) => void) | null;
  postMessage(reply: PgliteReply): void;
};

let pglite: PGlite | undefined;

async function open(folder: string, durability: Durability): Promise<PGlite> {
  const exists = await Deno.stat(`${folder}/PG_VERSION`).then(
    () => true,
    () => false,
  );
  // The folder's own name; all within is PostgreSQL's concern.
  if (!exists) syncPath(dirname(folder));
  return await PGlite.create({
    fs: new PgliteFiles(folder, { durability }),
    startParams: [...START_PARAMETERS],
    // A ready-made empty cluster saves initdb: seconds on the first start.
    ...(exists ? {} : { loadDataDir: await prepopulated() }),
    // bigint columns are counters far below 2^53.
    parsers: { [types.INT8]: Number },
  });
}

/** What Emscripten's file system says without words, by its own number. */
const FILE_ERRORS: Readonly<Record<number, string>> = {
  2: "Permission denied",
  22: "File too large",
  29: "Input/output error",
  51: "No space left on device",
  63: "Operation not permitted",
  69: "Read-only file system",
};

function describe(error: unknown): string {
  const { message, errno } = error as { message?: string; errno?: number };
  if (message === "PGlite failed to initialize properly") {
    return "the embedded database in it is damaged or of another version; take a new folder and restore a backup";
  }
  if (message || errno === undefined) return message ?? String(error);
  return `a file could not be used: ${FILE_ERRORS[errno] ?? `error ${errno}`}`;
}

async function answer(request: PgliteRequest): Promise<PgliteReply> {
  const { id } = request;
  try {
    if (request.kind === "open") {
      pglite = await open(request.folder ?? "", request.durability ?? "full");
    } else if (request.kind === "close") {
      await pglite?.close();
    } else {
      const result = await pglite!.query(request.sql ?? "", request.parameters);
      return {
        id,
        result: {
          rows: result.rows,
          ...(result.affectedRows === undefined
            ? {}
            : { affectedRows: result.affectedRows }),
        },
      };
    }
    return { id, result: { rows: [] } };
  } catch (error) {
    // Structured clone keeps only own fields of plain objects: SQLSTATE would be lost with the class.
    const { name } = error as Error;
    return {
      id,
      error: { ...(error as object), name, message: describe(error) },
    };
  }
}

self.onmessage = async ({ data }) => self.postMessage(await answer(data));
