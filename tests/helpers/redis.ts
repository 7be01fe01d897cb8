/** A throwaway Redis server from the program on this machine. It keeps nothing on disk. */

import { makeCertificates } from "./certificates.ts";
import { freePort, installFromDebian, run } from "./system.ts";

/** Oldest version with sharded publish and subscribe. */
const MIN_VERSION = 7;

/** A server that was started must answer within this time, in milliseconds. */
const START_LIMIT_MS = 10_000;

/** A running server of one's own. Dispose of it: it ends and its folder goes, also when this process dies. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  /** `rediss://127.0.0.1:port`, with `tls`. */
  readonly tlsUrl: string;
  /** Its process while it runs. */
  readonly pid: number;
  /** Starts it again, empty, on the same port; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it in order: SIGTERM. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Has a command carried out; one that is refused is an error. */
  command(words: string): Promise<void>;
}

/** Why Redis cannot be run here, or undefined. Installs it where that is allowed. */
export async function redisMissing(): Promise<string | undefined> {
  if (await isInstalled()) return undefined;
  const refused = await installFromDebian(["redis-server"]);
  return await isInstalled()
    ? undefined
    : `no Redis ${MIN_VERSION} or newer: ${refused ?? ""}`;
}

async function isInstalled(): Promise<boolean> {
  const { stdout } = await run("redis-server", ["--version"]);
  return parseInt(/v=(\d+)/.exec(stdout)?.[1] ?? "0") >= MIN_VERSION;
}

/**
 * Starts an empty server on a free loopback port.
 *
 * @param options.tls whether it also speaks TLS, with a certificate for 127.0.0.1 of an authority of its own
 */
export async function startRedis(
  options: { readonly tls?: boolean } = {},
): Promise<RedisServer> {
  if (!await isInstalled()) {
    throw new Error(`no Redis ${MIN_VERSION} or newer on this machine`);
  }
  const folder = await Deno.makeTempDir({ prefix: "chatket-redis-" });
  const remover = startRemover(folder);
  const [port, tlsPort] = [freePort(), freePort()];
  if (options.tls) await makeCertificates(folder);
  let child: Deno.ChildProcess | undefined;
  let isPaused = false;

  const signal = (name: Deno.Signal) => child?.kill(name);
  const end = async (name: Deno.Signal) => {
    const ending = child;
    if (ending === undefined) return;
    if (isPaused && name !== "SIGKILL") signal("SIGCONT");
    ending.kill(name);
    await ending.status;
    child = undefined;
    isPaused = false;
    await remover.watch(undefined);
  };

  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    tlsUrl: `rediss://127.0.0.1:${tlsPort}`,
    get pid() {
      if (child === undefined) throw new Error("Redis does not run");
      return child.pid;
    },
    async start() {
      if (child !== undefined) throw new Error("Redis runs already");
      child = new Deno.Command("redis-server", {
        args: [
          ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
          ...["--save", "", "--appendonly", "no", "--logfile", "log"],
          ...options.tls
            ? [
              ...["--tls-port", String(tlsPort), "--tls-auth-clients", "no"],
              ...["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key"],
            ]
            : [],
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await remover.watch(child.pid);
      const ended = child.status.then(() => true);
      for (const limit = Date.now() + START_LIMIT_MS; !await answers(port);) {
        const isOver = await Promise.race([ended, pause(20)]);
        if (isOver !== true && Date.now() < limit) continue;
        const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
        throw new Error(`Redis did not start:\n${log}`);
      }
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    pause() {
      signal("SIGSTOP");
      isPaused = true;
    },
    resume() {
      signal("SIGCONT");
      isPaused = false;
    },
    async command(words) {
      const answer = await ask(port, words);
      if (answer.startsWith("-")) throw new Error(`${words}: ${answer}`);
    },
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      await remover.remove();
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a Redis at this port answers. */
async function answers(port: number): Promise<boolean> {
  try {
    return await ask(port, "PING") === "+PONG";
  } catch {
    return false;
  }
}

/** The first line of Redis's answer to a command. */
async function ask(port: number, words: string): Promise<string> {
  using line = await Deno.connect({ hostname: "127.0.0.1", port });
  await line.write(new TextEncoder().encode(`${words}\r\n`));
  const answer = new Uint8Array(256);
  const length = await line.read(answer) ?? 0;
  const text = new TextDecoder().decode(answer.subarray(0, length));
  return text.split("\r\n")[0] ?? "";
}

/**
 * A process that outlives us by a moment: when its standard input ends, because we closed it or
 * because we died, it kills the server it was last told of and removes the folder. It is deaf to
 * Ctrl-C, which the terminal sends to all.
 */
function startRemover(folder: string) {
  const script = `
    trap '' INT TERM HUP
    pid=
    while read -r line; do pid=$line; done
    [ -z "$pid" ] || kill -KILL "$pid"
    rm -rf "$1"`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", folder],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    // Otherwise the runtime kills it when this process ends by an uncaught error.
    detached: true,
  }).spawn();
  const input = child.stdin.getWriter();
  let removed: Promise<void> | undefined;
  return {
    /** The process to end with us; undefined when there is none any more. */
    watch: (pid: number | undefined): Promise<void> =>
      input.write(new TextEncoder().encode(`${pid ?? ""}\n`)),
    remove: (): Promise<void> =>
      removed ??= (async () => {
        await input.close();
        await child.status;
      })(),
  };
}
