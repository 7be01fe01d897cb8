/** The composition root: settings → database → realtime → routes → server, and back in reverse. */

import {
  type Config,
  CONFIG_VARIABLES,
  ConfigError,
  loadConfig,
  unusable,
} from "./config.ts";
import { backUpToFile } from "./db/backup.ts";
import { openBackupDoor } from "./db/backup_door.ts";
import { startHousekeeping } from "./db/housekeeping.ts";
import { migrate } from "./db/migrate.ts";
import { onDataDir, onStore, openStore } from "./db/open_store.ts";
import { createLog, errorFields, type Log } from "./log.ts";
import { openRedisBackbone } from "./realtime/backbone/redis.ts";
import { RedisRefusedError } from "./realtime/backbone/redis_refusal.ts";
import { soloBackbone } from "./realtime/backbone/solo.ts";
import { createMetrics } from "./realtime/metrics.ts";
import { createRealtime } from "./realtime/realtime.ts";
import {
  systemSteadyClock,
  systemTimers,
  type Timers,
} from "./realtime/timers.ts";
import { createApp } from "./routes/app.ts";
import { readManifest } from "./routes/build_manifest.ts";
import { openCodeMail } from "./routes/code_mail.ts";
import { createHandler } from "./routes/handler.ts";
import { keptSecret } from "./routes/kept_secret.ts";
import { createSessionKeys } from "./routes/tokens.ts";

const STATIC_DIR = new URL("./static/", import.meta.url);

/** Requests in flight get this long at shutdown, in milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 4_000;

/** After a signal the process ends within this time, in milliseconds: operators wait for ten seconds. */
const EXIT_TIMEOUT_MS = 9_000;

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
  /** Told when only another process can go on: the embedded database has died. */
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
    writeLog = writeToStdout,
    staticDir = STATIC_DIR,
  } = options;
  const log = createLog({
    level: config.logLevel,
    json: config.environment === "production",
    clock,
    write: writeLog,
  });
  const manifest = await readManifest(staticDir);
  const db = await openStore(config, log, options.onDied);
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
    const backbone = config.redisUrl === undefined
      ? soloBackbone()
      : await joinOthers({
        ...{ url: config.redisUrl, clock: steadyClock, timers, log },
      });
    const realtime = createRealtime({
      config,
      db,
      log,
      clock,
      steadyClock,
      timers,
      metrics,
      backbone,
    });
    const codeMail = config.mail &&
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
    const server = listen(config, log, app);
    const backupDoor = config.databaseUrl === undefined
      ? openBackupDoor(
        config.dataDir,
        (path) => backUpToFile(db, new Date(clock()), path),
        log,
      )
      : undefined;
    const housekeeping = startHousekeeping({
      db,
      isEmbedded: config.databaseUrl === undefined,
      messageRetentionDays: config.messageRetentionDays,
      clock,
      after: timers.after,
      log,
    });

    const endRequests = async () => {
      const cancel = Promise.withResolvers<void>();
      const stopWaiting = timers.after(SHUTDOWN_TIMEOUT_MS, cancel.resolve);
      await Promise.race([server.shutdown(), cancel.promise]);
      stopWaiting();
    };
    const close = async () => {
      const steps = [
        () => realtime.drain(),
        () => housekeeping.stop(),
        () => Promise.all([endRequests(), codeMail?.close()]),
        () => backupDoor?.close(),
        () => backbone.close(),
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
      log.info("ChatKet has stopped");
    };
    let closed: Promise<void> | undefined;
    return { port: server.addr.port, stop: () => closed ??= close() };
  } catch (error) {
    await db.destroy();
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

function writeToStdout(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** A start that failed for a reason the operator can mend is one line; anything else keeps its stack. */
function explainFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
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

/** Runs the server as a process: settings from the environment, signals, exit status. */
async function main(): Promise<void> {
  const config = loadConfig(
    Object.fromEntries(
      CONFIG_VARIABLES.map((name) => [name, Deno.env.get(name)]),
    ),
  );
  logUncaught(createLog({
    level: config.logLevel,
    json: config.environment === "production",
    clock: Date.now,
    write: writeToStdout,
  }));
  const end = async (status: number) => {
    // Whatever hangs (a database that does not answer a query), the process ends in time.
    setTimeout(() => Deno.exit(status), EXIT_TIMEOUT_MS);
    try {
      await (await starting).stop();
    } finally {
      // Under --watch this throws in place of ending: what watches the files goes on.
      Deno.exit(status);
    }
  };
  const quietly = (status: number) => void end(status).catch(() => {});
  // Whoever runs the server starts it again when it fails.
  const starting = start(config, { onDied: () => quietly(1) });
  // Heard from the first moment on: a process that is stopped while it starts has not failed.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => quietly(0));
  }
  await starting;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    Deno.stderr.writeSync(
      new TextEncoder().encode(
        `ChatKet cannot start. ${explainFailure(error)}\n`,
      ),
    );
    Deno.exit(1);
  }
}
