/** A throwaway PostgreSQL server from the programs on this machine. */

import postgres from "postgres";
import { makeCertificates } from "./certificates.ts";
import { freePort, installFromDebian, run, runOrThrow } from "./system.ts";

/** Oldest version ChatKet supports. */
const MIN_VERSION = 15;

export interface PostgresOptions {
  /** Whether commits wait for the disk. Off by default: tests want speed, fault runs want truth. */
  readonly fsync?: boolean;
  /** The password of its user; none is asked for without. */
  readonly password?: string;
  /** The folder that its own is made in; the system's for such files by default. */
  readonly folder?: string | undefined;
  /** Whether it speaks TLS, with a certificate for 127.0.0.1 of an authority of its own. */
  readonly tls?: boolean;
}

/** A running server of one's own. Dispose of it: its folder goes too, also when this process dies. */
export interface PostgresCluster extends AsyncDisposable {
  readonly version: string;
  /** URL of a database on this server. */
  url(database?: string): string;
  /** Where its Unix socket is, on the port of the URL. */
  readonly socketFolder: string;
  /** The certificate of its authority, with `tls`. */
  readonly rootCertificate: string;
  start(): Promise<void>;
  /** `fast` ends sessions and shuts down in order, `immediate` is a crash, from which the next start recovers. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  /** Freezes every process of the server: connections stay open and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** The folder with PostgreSQL's programs, oldest supported version first, or why there is none. */
async function findPrograms(): Promise<{ folder: string } | string> {
  const installed = [
    ...await run("sh", [
      "-c",
      'ls -d /usr/lib/postgresql/*/bin 2>/dev/null; dirname "$(command -v initdb)" 2>/dev/null',
    ]).then(({ stdout }) => stdout.split("\n")),
  ].filter((folder) => folder.startsWith("/"));
  const versions = await Promise.all(installed.map(async (folder) => {
    const { stdout } = await run(`${folder}/postgres`, ["--version"]);
    return { folder, version: parseInt(/(\d+)/.exec(stdout)?.[1] ?? "0") };
  }));
  // PGlite is ahead of the servers in use: the oldest one is the harder test.
  const [oldest] = versions.filter(({ version }) => version >= MIN_VERSION)
    .sort((a, b) => a.version - b.version);
  return oldest ?? `no PostgreSQL ${MIN_VERSION} or newer`;
}

/** The user that a server runs as which refuses root; undefined: we are not root. */
export async function serverUser(): Promise<
  { uid: number; gid: number } | undefined
> {
  if (Deno.uid() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const { code, stdout } = await run("getent", ["passwd", name]);
    const [, , uid, gid] = stdout.split(":");
    if (code === 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("no user postgres or nobody to run PostgreSQL as");
}

/** Why PostgreSQL cannot be run here, or undefined. Installs it where that is allowed. */
export async function postgresMissing(): Promise<string | undefined> {
  if (typeof await findPrograms() !== "string") return undefined;
  const refused = await installFromDebian(["postgresql"]);
  const found = await findPrograms();
  return typeof found === "string" ? `${found}: ${refused ?? ""}` : undefined;
}

/** Makes and starts a server on a free loopback port. */
export async function startPostgres(
  options: PostgresOptions = {},
): Promise<PostgresCluster> {
  const found = await findPrograms();
  if (typeof found === "string") throw new Error(found);
  const user = await serverUser();
  const folder = await Deno.makeTempDir({
    prefix: "chatket-pg-",
    ...options.folder === undefined ? {} : { dir: options.folder },
  });
  if (user !== undefined) await Deno.chown(folder, user.uid, user.gid);
  const data = `${folder}/data`;
  const remover = startRemover(folder);
  const program = (name: string, args: string[]) =>
    runOrThrow(`${found.folder}/${name}`, args, { cwd: folder, ...user });

  const port = freePort();
  const settings = [
    `-p ${port}`,
    "-c listen_addresses=127.0.0.1",
    `-c unix_socket_directories=${folder}`,
    "-c max_connections=200",
    ...options.fsync ? [] : [
      "-c fsync=off",
      "-c synchronous_commit=off",
      "-c full_page_writes=off",
    ],
    ...options.tls
      ? [
        "-c ssl=on",
        `-c ssl_cert_file=${folder}/tls.crt`,
        `-c ssl_key_file=${folder}/tls.key`,
      ]
      : [],
  ].join(" ");

  const cluster: PostgresCluster = {
    version: (await program("postgres", ["--version"])).trim(),
    url: (database = "postgres") =>
      `postgres://postgres@127.0.0.1:${port}/${database}`,
    socketFolder: folder,
    rootCertificate: `${folder}/root.crt`,
    async start() {
      const log = `${folder}/log`;
      try {
        await program("pg_ctl", [
          ...["-D", data, "-l", log, "-o", settings, "-s", "-w", "start"],
        ]);
      } catch (error) {
        const text = await Deno.readTextFile(log).catch(() => "");
        throw new Error(`PostgreSQL did not start:\n${text}`, { cause: error });
      }
    },
    async stop(mode) {
      await program("pg_ctl", ["-D", data, "-m", mode, "-s", "-w", "stop"]);
    },
    pause: () => signalServer(data, "SIGSTOP"),
    resume: () => signalServer(data, "SIGCONT"),
    [Symbol.asyncDispose]: () => remover.remove(),
  };
  try {
    if (options.password !== undefined) {
      await Deno.writeTextFile(`${folder}/password`, options.password);
    }
    if (options.tls) await makeCertificates(folder, user);
    await program("initdb", [
      ...["-D", data, "-U", "postgres", "--locale=C"],
      ...options.password === undefined
        ? ["-A", "trust"]
        : ["-A", "scram-sha-256", `--pwfile=${folder}/password`],
      ...["--encoding=UTF8", ...options.fsync ? [] : ["--no-sync"]],
    ]);
    await cluster.start();
  } catch (error) {
    await remover.remove();
    throw error;
  }
  return cluster;
}

/** Sends a signal to the server's first process and to its children. */
async function signalServer(
  data: string,
  signal: Deno.Signal,
): Promise<void> {
  const first = await Deno.readTextFile(`${data}/postmaster.pid`);
  const pid = parseInt(first);
  const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(pid)]);
  for (const each of [pid, ...stdout.split("\n").map(Number).filter(Boolean)]) {
    try {
      Deno.kill(each, signal);
    } catch (error) {
      // A backend may have ended since it was listed.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * A process that outlives us by a moment: when its standard input ends, because we closed it or
 * because we died, it stops the server and removes the folder. It is deaf to Ctrl-C, which the
 * terminal sends to all.
 */
function startRemover(folder: string): { remove(): Promise<void> } {
  const script = `
    trap '' INT TERM HUP
    cat >/dev/null
    if pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); then
      kill -QUIT "$pid"; kill -CONT "$pid"
      for try in $(seq 100); do [ -e "$1/data/postmaster.pid" ] || break; sleep 0.05; done
    fi
    rm -rf "$1"`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", folder],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    // Otherwise the runtime kills it when this process ends by an uncaught error.
    detached: true,
  }).spawn();
  let removed: Promise<void> | undefined;
  return {
    remove: () =>
      removed ??= (async () => {
        await child.stdin.close();
        await child.status;
      })(),
  };
}

/** Executes statements over a connection of their own. @returns the rows of one that stands alone */
export async function execute(
  url: string,
  statements: string,
): Promise<readonly postgres.Row[]> {
  const sql = postgres(url, { max: 1, fetch_types: false });
  try {
    return await sql.unsafe(statements);
  } finally {
    await sql.end();
  }
}
