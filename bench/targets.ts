/** The servers under test, each in a process of its own. */

import { type BenchPostgres, JWT_SECRET } from "./database.ts";
import { startRedis } from "../tests/helpers/redis.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** As the task `start` starts it. Which folders it reads differs between checkouts. */
const CHATKET_ARGS = ["run", "-q", "-P", "--no-prompt", "--allow-read"];

/** Several processes on one database. */
async function startJoined(
  count: number,
  postgres: BenchPostgres,
  flags: string[],
): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const redis = started.use(await startRedis());
  const url = await postgres.createDatabase();
  const processes: { port: number; pid: number }[] = [];
  for (let number = 0; number < count; number++) {
    const server = started.use(
      await startServer(
        Deno.execPath(),
        [...CHATKET_ARGS, ...flags, "main.ts"],
        { ...chatketEnv(url), REDIS_URL: redis.url },
      ),
    );
    processes.push(...server.processes);
  }
  const all = started.move();
  return {
    processes,
    redisPid: redis.pid,
    databaseUrl: url,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A limit that is checked and never reached. */
const NO_LIMIT = "1000000000";

/** "joined N" is N processes that a Redis joins; "against" is another checkout of ChatKet. */
export type TargetName =
  | "chatket"
  | "against"
  | `joined ${number}`
  | "plain"
  | "gathered";

export interface Target extends AsyncDisposable {
  readonly processes: readonly { port: number; pid: number }[];
  readonly redisPid?: number;
  /** Where its database is; undefined when it has none. */
  readonly databaseUrl: string | undefined;
}

/**
 * Starts a server on a free port, on an empty database of its own.
 *
 * @param against the folder of another checkout, for the target `against`
 * @param profileFolder where a Deno server leaves a CPU profile when it ends
 */
export async function startTarget(
  name: TargetName,
  postgres: BenchPostgres,
  against: string | undefined,
  profileFolder?: string,
): Promise<Target> {
  const flags = profileFolder === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  if (name === "chatket" || name === "against") {
    const url = await postgres.createDatabase();
    return {
      ...await startServer(
        Deno.execPath(),
        [...CHATKET_ARGS, ...flags, "main.ts"],
        chatketEnv(url),
        name === "against" ? against : ROOT,
      ),
      databaseUrl: url,
    };
  }
  if (name.startsWith("joined ")) {
    return await startJoined(Number(name.split(" ")[1]), postgres, flags);
  }
  const bare = `${ROOT}bench/bare/broadcast.ts`;
  return {
    ...await startServer(
      Deno.execPath(),
      ["run", "--allow-net", ...flags, bare, name],
      {},
    ),
    databaseUrl: undefined,
  };
}

const RATE_LIMIT = { RATE_LIMIT_MESSAGES: NO_LIMIT };

/** The product as in production; what would stop a load from one machine is raised, not removed. */
function chatketEnv(url: string): Record<string, string> {
  return {
    ...RATE_LIMIT,
    CHATKET_ENV: "production",
    CODE_DELIVERY: "console",
    DATABASE_URL: url,
    JWT_SECRET,
    HOST: "127.0.0.1",
    PORT: "0",
    FRAME_LIMIT_PER_SECOND: NO_LIMIT,
    FRAME_LIMIT_BURST: NO_LIMIT,
    MAX_SOCKETS_PER_ADDRESS: "100000",
    REST_LIMIT_PER_MINUTE: NO_LIMIT,
  };
}

/** Builds what this checkout serves, and the other one when there is one. */
export async function prepareTargets(against?: string): Promise<void> {
  await runIn(ROOT, Deno.execPath(), ["task", "-q", "build"]);
  if (against !== undefined) {
    await runIn(against, Deno.execPath(), ["task", "-q", "build"]);
  }
}

/** Runs a command in a folder to its end. @throws what it said when it failed */
export async function runIn(
  cwd: string,
  command: string,
  args: string[],
): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A server that has not stopped by itself after this long is killed, in milliseconds. */
const STOP_TIMEOUT_MS = 12_000;

/** Starts a process that soon prints a line of JSON with the `port` it listens on. */
async function startServer(
  command: string,
  args: string[],
  env: Record<string, string>,
  cwd = ROOT,
): Promise<Pick<Target, "processes" | typeof Symbol.asyncDispose>> {
  // The shell is replaced by the server, so that the process id is the server's.
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n "$(ulimit -Hn)"; exec "$@"',
      "sh",
      command,
      ...args,
    ],
    cwd,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const listening = Promise.withResolvers<number>();
  const reading = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeTo(
      new WritableStream({
        write(text) {
          const port = /"port":(\d+)/.exec(text)?.[1];
          if (port !== undefined) listening.resolve(Number(port));
        },
      }),
    );
  child.status.then(({ code }) =>
    listening.reject(new Error(`${command} ended with ${code}`))
  );
  return {
    processes: [{ port: await listening.promise, pid: child.pid }],
    async [Symbol.asyncDispose]() {
      const end = (signal: Deno.Signal) => {
        try {
          child.kill(signal);
        } catch (error) {
          // It has ended already.
          if (!(error instanceof TypeError)) throw error;
        }
      };
      end("SIGTERM");
      const timer = setTimeout(() => end("SIGKILL"), STOP_TIMEOUT_MS);
      await child.status;
      clearTimeout(timer);
      await reading;
    },
  };
}
