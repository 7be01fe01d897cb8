import { createLog, type Log } from "../../log.ts";

/** A log nobody reads. */
export const silentLog: Log = createLog({
  level: "error",
  json: false,
  clock: () => 0,
  write: () => {},
});

/** A log that keeps its lines, for tests of what is logged and of what is not. */
export function recordingLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    json: true,
    clock: () => 0,
    write: (line) => void lines.push(line),
  });
  return { ...log, lines };
}
