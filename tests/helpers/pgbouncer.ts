/** A throwaway PgBouncer in front of the PostgreSQL under test. */

import { serverUser } from "./postgres.ts";
import { freePort, installFromDebian, run } from "./system.ts";

/** Not on the path of ordinary users. */
const PROGRAM = "/usr/sbin/pgbouncer";

/** Why PgBouncer cannot be run here, or undefined. Installs it where that is allowed. */
export async function pgbouncerMissing(): Promise<string | undefined> {
  if (await hasPgbouncer()) return undefined;
  const refused = await installFromDebian(["pgbouncer"]);
  return await hasPgbouncer() ? undefined : `no PgBouncer: ${refused ?? ""}`;
}

const hasPgbouncer = async () => (await run(PROGRAM, ["-V"])).code === 0;

export interface Pgbouncer extends AsyncDisposable {
  /** The same database as a URL of the server, through PgBouncer. */
  url(databaseUrl: string): string;
}

export interface PgbouncerOptions {
  /** Connections it opens to the server. */
  readonly poolSize: number;
  /** Connections it accepts. */
  readonly maxClients?: number;
}

/**
 * Starts PgBouncer in transaction mode with nothing set that its defaults do not have, as the server
 * says it works (DEPLOY.md).
 *
 * @param serverUrl of any database on the server
 */
export async function startPgbouncer(
  serverUrl: string,
  { poolSize, maxClients = 100 }: PgbouncerOptions,
): Promise<Pgbouncer> {
  const server = new URL(serverUrl);
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "chatket-pgbouncer-" });
  const user = await serverUser();
  if (user !== undefined) await Deno.chown(folder, user.uid, user.gid);
  await Deno.writeTextFile(`${folder}/users`, `"${server.username}" ""\n`);
  await Deno.writeTextFile(
    `${folder}/pgbouncer.ini`,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users
logfile = ${folder}/log
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = ${maxClients}
`,
  );
  const child = new Deno.Command(PROGRAM, {
    args: ["-q", `${folder}/pgbouncer.ini`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  await answering(port, `${folder}/log`);
  return {
    url(databaseUrl) {
      const url = new URL(databaseUrl);
      url.port = String(port);
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function answering(port: number, log: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const text = await Deno.readTextFile(log).catch(() => "");
  throw new Error(`PgBouncer did not start:\n${text}`);
}
