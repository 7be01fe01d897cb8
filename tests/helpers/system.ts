/** What tests need of the machine: commands, ports, memory, and installing from Debian what is missing. */

import { statfsSync } from "node:fs";

/** Where Linux keeps files in memory, and the room that the databases of a run need there, in bytes. */
const MEMORY_FOLDER = "/dev/shm";
const MEMORY_ROOM_BYTES = 4 * 1024 ** 3;

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end without standard input; a command that cannot be found has code 127. */
export async function run(
  command: string,
  args: string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env" | "uid" | "gid"> = {},
): Promise<CommandResult> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      ...options,
      args,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { code: 127, stdout: "", stderr: `${command}: not found` };
  }
}

/** As {@link run}, but anything other than exit status 0 is an error with the command's own words. */
export async function runOrThrow(
  command: string,
  args: string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} ended with ${result.code}: ` +
        `${result.stderr}${result.stdout}`,
    );
  }
  return result.stdout;
}

/** Whether tests may install Debian packages: root, and said so by `CI` or `CHATKET_TEST_INSTALL`. */
function mayInstall(): boolean {
  return Deno.uid() === 0 &&
    (Deno.env.get("CI") === "true" ||
      Deno.env.get("CHATKET_TEST_INSTALL") === "yes");
}

/**
 * Installs Debian packages, where that is allowed.
 *
 * @returns undefined when installed, else why not
 */
export async function installFromDebian(
  packages: string[],
): Promise<string | undefined> {
  if (!mayInstall()) {
    return "not installed (CHATKET_TEST_INSTALL=yes lets root install it from Debian)";
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  for (
    const args of [
      ["update", "-qq"],
      ["install", "-y", "-qq", "--no-install-recommends", ...packages],
    ]
  ) {
    const result = await run("apt-get", args, { env });
    if (result.code !== 0) {
      return `apt-get ${args[0]} failed: ${result.stderr.trim()}`;
    }
  }
  return undefined;
}

/**
 * A loopback TCP port that nobody listens on, below those that systems give to outgoing connections (from
 * 32768 on Linux): one of them could have it before the server that is to listen there, or while that
 * restarts.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * A folder whose files are in memory, for databases that nobody keeps: a disk that writes tens of
 * megabytes for each test is what a run would wait for most. Undefined where there is none with room.
 * Only a process that runs with all permissions may use it: the runtime guards all of `/dev`.
 */
export function memoryFolder(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
  return bavail * bsize > MEMORY_ROOM_BYTES ? MEMORY_FOLDER : undefined;
}
