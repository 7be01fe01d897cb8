/** The server under test: the real program in a process of its own, with the rights it is started with. */

import { readLines } from "./lines.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;

/** The server must be serving within this time after its start, in milliseconds. */
const START_LIMIT_MS = 30_000;

/** After SIGTERM it must be gone within this time, in milliseconds (contract: 10 s). */
export const STOP_LIMIT_MS = 10_000;

/** Errors in the log that a database or a Redis that is away excuses. Any other error is an alarm. */
const EXCUSED = new Set([
  "a roster could not be loaded",
  "reading positions could not be stored",
  "ended sessions could not be read",
  "what other processes have done could not be read",
  "who is online could not be shared",
]);

export interface ServerOptions {
  /** Environment variables; nothing else of ours is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** Told of log lines that no fault excuses, and of an end nobody asked for. */
  readonly alarm: (text: string) => void;
}

/** How a process ended after SIGTERM. */
export interface Stopped {
  readonly code: number;
  readonly ms: number;
}

export class ServerProcess {
  readonly #options: ServerOptions;
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<Deno.CommandStatus> | undefined;
  #expectedToEnd = false;
  #paused = false;
  #lastLines: string[] = [];

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error("the server is not running");
    return this.#child.pid;
  }

  /** The newest lines of its output. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<void> {
    const serving = this.spawn();
    const limit = AbortSignal.timeout(START_LIMIT_MS);
    await Promise.race([
      serving,
      new Promise<never>((_, reject) =>
        limit.addEventListener(
          "abort",
          () =>
            reject(new Error(`not serving:\n${this.#lastLines.join("\n")}`)),
        )
      ),
    ]);
  }

  /** Starts it; the promise resolves when it serves and rejects when it ends before. */
  spawn(): Promise<void> {
    const { env, port, alarm } = this.#options;
    const serving = Promise.withResolvers<void>();
    serving.promise.catch(() => {});
    this.#expectedToEnd = false;
    const child = new Deno.Command(Deno.execPath(), {
      args: startArguments(env.DATA_DIR ?? ".data"),
      cwd: PROJECT,
      env: {
        ...basicEnvironment(),
        CHATKET_ENV: "production",
        HOST: "127.0.0.1",
        PORT: String(port),
        ...env,
      },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    const onLine = (line: string) => {
      const { level, message } = readEntry(line);
      if (message !== "request") {
        this.#lastLines = [...this.#lastLines.slice(-20), line];
      }
      if (message === "ChatKet is listening") serving.resolve();
      else if (level === "error" && !EXCUSED.has(message)) alarm(line);
    };
    const output = Promise.all([
      readLines(child.stdout, onLine),
      readLines(child.stderr, onLine),
    ]);
    this.#ended = child.status.then(async (status) => {
      await output;
      if (this.#child === child) this.#child = undefined;
      serving.reject(
        new Error(
          `the server ended before it served:\n${this.#lastLines.join("\n")}`,
        ),
      );
      if (!this.#expectedToEnd) {
        alarm(
          `the server ended by itself (${status.signal ?? status.code}):\n` +
            this.#lastLines.join("\n"),
        );
      }
      return status;
    });
    return serving.promise;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    this.#expectedToEnd = true;
    this.#paused = false;
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGTERM, and how it took it. One that does not end in time is killed and has code -1. */
  async stop(): Promise<Stopped> {
    const child = this.#child;
    if (child === undefined) return { code: 0, ms: 0 };
    this.#expectedToEnd = true;
    this.resume();
    const startedAt = performance.now();
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    const status = await this.#ended!;
    clearTimeout(limit);
    return {
      code: status.signal === "SIGKILL" ? -1 : status.code,
      ms: performance.now() - startedAt,
    };
  }

  /** SIGSTOP. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
    this.#paused = true;
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#paused) this.#child?.kill("SIGCONT");
    this.#paused = false;
  }

  /** Resident memory in bytes. */
  async residentBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }
}

/** The arguments `deno task start` runs the server with, so that its rights are those of production. */
function startArguments(dataDir: string): string[] {
  const config = JSON.parse(Deno.readTextFileSync(`${PROJECT}deno.json`));
  const command: string = config.tasks.start.command;
  const flags = /deno run (?!.*deno run )(.*) main\.ts/.exec(command)?.[1];
  if (flags === undefined) throw new Error(`no server in: ${command}`);
  const given = flags.replaceAll('"', "").replaceAll(
    /\$(READ|WRITE)/g,
    dataDir,
  );
  return ["run", ...given.split(" "), "main.ts"];
}

/** What any program needs of its surroundings. */
function basicEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function readEntry(line: string): { level: string; message: string } {
  try {
    const { level, message } = JSON.parse(line);
    return { level: String(level), message: String(message) };
  } catch {
    return { level: "", message: "" };
  }
}
