/** The composition root: settings → database → realtime → routes → server, and back in reverse. */

import { type Config, unusable } from "./config.ts";
import { backUpToFile } from "./db/backup.ts";
import { openBackupDoor } from "./db/backup_door.ts";
import { startHousekeeping } from "./db/housekeeping.ts";
import { migrate } from "./db/migrate.ts";
import { onDataDir, onStore, openStore } from "./db/open_store.ts";
import { createLog, errorFields, type Log } from "./log.ts";
import { createLogWriter } from "./log_writer.ts";
import { runProcess } from "./process.ts";
import type { Backbone } from "./realtime/backbone/backbone.ts";
import { openRedisBackbone } from "./realtime/backbone/redis.ts";
import { RedisRefusedError } from "./realtime/backbone/redis_refusal.ts";
import { soloBackbone } from "./realtime/backbone/solo.ts";
import { createMetrics } from "./realtime/metrics.ts";
import { createRealtime, type Realtime } from "./realtime/realtime.ts";
import {
  systemSteadyClock,
  systemTimers,
  type Timers,
} from "./realtime/timers.ts";
import { createApp } from "./routes/app.ts";
import { readManifest } from "./routes/build_manifest.ts";
import { type CodeMail, openCodeMail } from "./routes/code_mail.ts";
import { createHandler } from "./routes/handler.ts";
import { keptSecret } from "./routes/kept_secret.ts";
import { createSessionKeys } from "./routes/tokens.ts";

const STATIC_DIR = new URL("./static/", import.meta.url);

/** Requests in flight get this long at shutdown, in milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 4_000;

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
  let backbone: Backbone | undefined;
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
      () => backbone?.close(),
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
    const keys = await createSessionKeys(
      config.jwtSecret ??
        await onDataDir(config, () => keptSecret(config.dataDir)),
    );
    const metrics = createMetrics(clock);
    metrics.watchLog(() => failedLogLines + droppedLogLines());
    backbone = config.redisUrl === undefined
      ? soloBackbone()
      : await joinOthers({
        ...{ url: config.redisUrl, clock: steadyClock, timers, log },
      });
    realtime = createRealtime({
      config,
      db,
      log,
      clock,
      steadyClock,
      timers,
      metrics,
      backbone,
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
      shared: backbone.shared,
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

/** Opens the way to other processes; that Redis is away is no reason not to serve, that it refuses us is. */
async function joinOthers(
  options: Parameters<typeof openRedisBackbone>[0],
): ReturnType<typeof openRedisBackbone> {
  try {
    return await openRedisBackbone(options);
  } catch (error) {
    throw error instanceof RedisRefusedError
      ? unusable("REDIS_URL", options.url, error)
      : error;
  }
}

function listen(
  config: Config,
  log: Log,
  app: ReturnType<typeof createApp>,
): Deno.HttpServer<Deno.NetAddr> {
  const { port, host } = config;
  try {
    return Deno.serve({
      port,
      hostname: host,
      // Pages and lists. What is compressed already, and event streams, say so and are left alone.
      automaticCompression: true,
      onListen: ({ port, hostname }) =>
        log.info("ChatKet is listening", {
          url: urlOf(config, hostname, port),
          port,
        }),
    }, createHandler(app));
  } catch (error) {
    const isPort = error instanceof Deno.errors.AddrInUse ||
      error instanceof Deno.errors.PermissionDenied;
    throw isPort
      ? unusable("PORT", port, error)
      : unusable("HOST", host, error);
  }
}

/** An address that can be clicked: a wildcard address is this machine. */
function urlOf(config: Config, hostname: string, port: number): string {
  if (config.publicOrigin !== undefined) return config.publicOrigin;
  const host = /^(0\.0\.0\.0|::)$/.test(hostname) ? "localhost" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

if (import.meta.main) await runProcess(start);
