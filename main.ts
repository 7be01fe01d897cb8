/** The composition root: settings → database → realtime → routes → server, and back in reverse. */

import { type Config, ConfigError, loadConfigFromEnv } from "./config.ts";
import { readDeployment } from "./db/deployment.ts";
import { migrate } from "./db/engine/migrate.ts";
import { onDataDir, onStore, openStore } from "./db/engine/open_store.ts";
import { startHousekeeping } from "./db/housekeeping.ts";
import { backUpToFile } from "./db/tools/backup.ts";
import { openBackupDoor } from "./db/tools/backup_door.ts";
import {
  createLog,
  createLogWriter,
  errorFields,
  type Log,
  type LogWriter,
} from "./log.ts";
import type { Broker } from "./realtime/cluster/broker.ts";
import { joinProcesses } from "./realtime/cluster/join_processes.ts";
import { memoryBroker } from "./realtime/cluster/memory_broker.ts";
import { createMetrics } from "./realtime/metrics.ts";
import { createRealtime, type Realtime } from "./realtime/realtime.ts";
import {
  systemSteadyClock,
  systemTimers,
  type Timers,
} from "./realtime/timers.ts";
import { createApp } from "./routes/app.ts";
import { readManifest } from "./routes/assets/build_manifest.ts";
import { type CodeMail, openCodeMail } from "./routes/auth/code_mail.ts";
import { keptSecret } from "./routes/auth/kept_secret.ts";
import { createSessionKeys } from "./routes/auth/session_keys.ts";
import { listen } from "./routes/listen.ts";

const STATIC_DIR = new URL("./static/", import.meta.url);

/** Requests in flight get this long at shutdown, in milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 4_000;

/** After a signal the process ends within this time, in milliseconds: operators wait for ten seconds. */
const EXIT_TIMEOUT_MS = 9_000;

/** At the end, the log gets this long to be written, in milliseconds: its reader may have stalled. */
const FLUSH_TIMEOUT_MS = 500;

/** A hangup too: a terminal or a session that ends must not cut off what was accepted. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export interface StartOptions {
  /** The time of day, to show and to store: milliseconds since 1970; the system's clock by default. */
  clock?: () => number;
  /**
   * What durations are measured with: milliseconds since any moment, never set back or forward. By
   * default the given `clock`, else the runtime's.
   */
  steadyClock?: () => number;
  timers?: Timers;
  /** Takes log lines; standard output by default. */
  writeLog?: (line: string) => void;
  /** How many lines `writeLog` has dropped since the process began. */
  droppedLogLines?: () => number;
  /** Told when only another process can go on: the embedded database or the listener has died. */
  onDied?: () => void;
  /** The folder of what the browser gets, with a slash at its end; `static/` by default. */
  staticDir?: URL;
}

export interface RunningApp {
  readonly port: number;
  /** Finishes what was accepted, says goodbye to clients and closes everything. Again waits for the first. */
  stop(): Promise<void>;
}

/** Starts ChatKet; resolves when it serves. */
export async function start(
  config: Config,
  options: StartOptions = {},
): Promise<RunningApp> {
  const {
    clock = Date.now,
    steadyClock = options.clock ?? systemSteadyClock,
    timers = systemTimers,
    writeLog = createLogWriter(Deno.stdout).write,
    droppedLogLines = () => 0,
    onDied = () => {},
    staticDir = STATIC_DIR,
  } = options;
  let failedLogLines = 0;
  const log = createLog({
    level: config.logLevel,
    json: config.environment === "production",
    clock,
    write: writeLog,
    onDropped: () => failedLogLines++,
  });
  const manifest = await readManifest(staticDir);
  const db = await openStore(config, log, onDied);
  let broker: Broker | undefined;
  let realtime: Realtime | undefined;
  let codeMail: CodeMail | undefined;
  let server: Deno.HttpServer<Deno.NetAddr> | undefined;
  let backupDoor: ReturnType<typeof openBackupDoor> | undefined;
  let housekeeping: ReturnType<typeof startHousekeeping> | undefined;

  const endRequests = async () => {
    const cancel = Promise.withResolvers<void>();
    const stopWaiting = timers.after(SHUTDOWN_TIMEOUT_MS, cancel.resolve);
    await Promise.race([server?.shutdown(), cancel.promise]);
    stopWaiting();
  };
  let isClosing = false;
  /** Closes what is open so far, in order. */
  const close = async () => {
    isClosing = true;
    const steps = [
      () => realtime?.drain(),
      () => housekeeping?.stop(),
      () => Promise.all([endRequests(), codeMail?.close()]),
      () => backupDoor?.close(),
      () => broker?.close(),
      () => db.destroy(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        // What comes after it must be closed all the same.
        log.error("a part could not be closed", errorFields(error));
      }
    }
  };
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= close().then(() => log.info("ChatKet has stopped"));

  try {
    const applied = await onStore(config, () => migrate(db));
    if (applied.length > 0) {
      log.info("database migrated", { migrations: applied });
    }
    const { epoch, namespace } = await onStore(
      config,
      () => readDeployment(db),
    );
    const keys = await createSessionKeys(
      config.jwtSecret ??
        await onDataDir(config, () => keptSecret(config.dataDir)),
    );
    const metrics = createMetrics(clock);
    metrics.watchLog(() => failedLogLines + droppedLogLines());
    broker = config.redisUrl === undefined
      ? memoryBroker()
      : await joinProcesses({
        ...{ url: config.redisUrl, namespace },
        ...{ clock: steadyClock, timers, log },
      });
    realtime = createRealtime({
      config,
      db,
      log,
      clock,
      steadyClock,
      timers,
      metrics,
      broker,
      epoch,
    });
    codeMail = config.mail &&
      await openCodeMail(config.mail, log, timers.after);
    const app = createApp({
      config,
      db,
      log,
      clock,
      steadyClock,
      keys,
      codeMail,
      realtime,
      shared: broker.shared,
      metrics,
      manifest,
      staticDir,
    });
    server = listen(config, log, app);
    backupDoor = config.databaseUrl === undefined
      ? openBackupDoor(
        config.dataDir,
        (path) => backUpToFile(db, new Date(clock()), path),
        log,
      )
      : undefined;
    housekeeping = startHousekeeping({
      db,
      isEmbedded: config.databaseUrl === undefined,
      messageRetentionDays: config.messageRetentionDays,
      clock,
      after: timers.after,
      log,
    });

    const listenerEnded = (error?: unknown) => {
      if (isClosing) return;
      log.error("the listener has ended", error ? errorFields(error) : {});
      onDied();
    };
    server.finished.then(listenerEnded, listenerEnded);
    return { port: server.addr.port, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Starts the server and stays with it. The process ends with status 0 after a signal, and with 1 when
 * the start fails or only another process can go on: the supervisor starts it again then.
 */
async function runProcess(): Promise<void> {
  const writer = createLogWriter(Deno.stdout);
  try {
    await serve(writer);
  } catch (error) {
    await flush(writer);
    explain(`ChatKet cannot start. ${explainFailure(error)}\n`);
    Deno.exit(1);
  }
}

async function serve(writer: LogWriter): Promise<void> {
  const config = loadConfigFromEnv();
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
    // It cannot be logged; the exit status says it.
  }
}

if (import.meta.main) await runProcess();
