/** ChatKet as a process: settings from the environment, the log, signals and the exit status. */

import {
  type Config,
  CONFIG_VARIABLES,
  ConfigError,
  loadConfig,
} from "./config.ts";
import { createLog, errorFields, type Log } from "./log.ts";
import { createLogWriter, type LogWriter } from "./log_writer.ts";

/** After a signal the process ends within this time, in milliseconds: operators wait for ten seconds. */
const EXIT_TIMEOUT_MS = 9_000;

/** At the end, the log gets this long to be written, in milliseconds: its reader may have stalled. */
const FLUSH_TIMEOUT_MS = 500;

/** A hangup too: a terminal or a session that ends must not cut off what was accepted. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export type Start = (
  config: Config,
  options: {
    writeLog: (line: string) => void;
    droppedLogLines: () => number;
    onDied: () => void;
  },
) => Promise<{ stop(): Promise<void> }>;

/**
 * Starts the server and stays with it. The process ends with status 0 after a signal, and with 1 when
 * the start fails or only another process can go on: whoever runs it starts it again then.
 */
export async function runProcess(start: Start): Promise<void> {
  const writer = createLogWriter(Deno.stdout);
  try {
    await serve(start, writer);
  } catch (error) {
    await flush(writer);
    explain(`ChatKet cannot start. ${explainFailure(error)}\n`);
    Deno.exit(1);
  }
}

async function serve(start: Start, writer: LogWriter): Promise<void> {
  const config = loadConfig(
    Object.fromEntries(
      CONFIG_VARIABLES.map((name) => [name, Deno.env.get(name)]),
    ),
  );
  logUncaught(createLog({
    level: config.logLevel,
    json: config.environment === "production",
    clock: Date.now,
    write: writer.write,
  }));
  const end = async (status: number) => {
    // Whatever hangs (a database that does not answer a query), the process ends in time.
    setTimeout(() => Deno.exit(status), EXIT_TIMEOUT_MS);
    try {
      await (await starting).stop();
      await flush(writer);
    } finally {
      // Under --watch this throws in place of ending: what watches the files goes on.
      Deno.exit(status);
    }
  };
  const quietly = (status: number) => void end(status).catch(() => {});
  const starting = start(config, {
    writeLog: writer.write,
    droppedLogLines: writer.dropped,
    onDied: () => quietly(1),
  });
  // Heard from the first moment on: a process that is stopped while it starts has not failed.
  for (const signal of SIGNALS) {
    Deno.addSignalListener(signal, () => quietly(0));
  }
  await starting;
}

async function flush(writer: LogWriter): Promise<void> {
  const timeout = new Promise((resolve) =>
    setTimeout(resolve, FLUSH_TIMEOUT_MS)
  );
  await Promise.race([writer.flush(), timeout]);
}

function logUncaught(log: Log): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.error("uncaught error", errorFields(event.error));
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unhandled rejection", errorFields(event.reason));
  });
}

/** A start that failed for a reason the operator can mend is one line; anything else keeps its stack. */
function explainFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function explain(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody can be told; the exit status says it.
  }
}
