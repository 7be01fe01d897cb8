/** nginx with the settings that are shipped, in front of processes under test. */

import { freePort, installFromDebian, run } from "../helpers/system.ts";

const SHIPPED = new URL("../../deploy/nginx.conf", import.meta.url);

/** Why nginx cannot be run here, or undefined. Installs it where that is allowed. */
export async function nginxMissing(): Promise<string | undefined> {
  if (await hasNginx()) return undefined;
  const refused = await installFromDebian(["nginx-light"]);
  return await hasNginx() ? undefined : `no nginx: ${refused ?? ""}`;
}

const hasNginx = async () => (await run(PROGRAM, ["-v"])).code === 0;

/** Not on the path of ordinary users. */
const PROGRAM = "/usr/sbin/nginx";

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
}

/**
 * Starts nginx; the first port is the process that serves, the second one stands by, or serves beside
 * the first.
 */
export async function startNginx(
  [first, second]: readonly [number, number?],
  role: "backup" | "beside" = "backup",
): Promise<Nginx> {
  const folder = await Deno.makeTempDir({ prefix: "chatket-nginx-" });
  const port = freePort();
  let site = await Deno.readTextFile(SHIPPED);
  const replace = (what: string, by: string) => {
    if (!site.includes(what)) throw new Error(`deploy/nginx.conf: no ${what}`);
    site = site.replace(what, by);
  };
  replace("listen 80;", `listen 127.0.0.1:${port};`);
  replace("127.0.0.1:3000", `127.0.0.1:${first}`);
  if (second !== undefined) {
    const line = (port: number) =>
      `server 127.0.0.1:${port} ${
        role === "backup" ? "backup max_fails=0;" : "max_fails=0;"
      }`;
    replace(`# ${line(3001)}`, line(second));
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  await Deno.writeTextFile(`${folder}/site.conf`, site);
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; worker_processes 1; pid ${folder}/pid;
    error_log ${folder}/error.log warn;
    events { worker_connections 4096; }
    http { access_log off; ${temporary} include ${folder}/site.conf; }`,
  );
  const child = new Deno.Command(PROGRAM, {
    args: ["-p", folder, "-c", `${folder}/nginx.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await answering(port, `${folder}/error.log`);
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function answering(port: number, log: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(await Deno.readTextFile(log).catch(() => "no nginx"));
}
