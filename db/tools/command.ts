/** The commands for operators: `deno task migrate`, `backup` and `restore`. */

import { type Config, loadConfigFromEnv } from "../../config.ts";
import { createLog, type Log } from "../../log.ts";

/**
 * Runs a command with the settings of the environment. It ends with one line on standard error: what
 * was done or, with exit status 1, what was not and why.
 *
 * @param failure what has not happened when it fails
 * @param work gives the line
 */
export async function runCommand(
  failure: string,
  work: (config: Config, log: Log) => Promise<string>,
): Promise<void> {
  const write = (line: string) =>
    void Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  try {
    const config = loadConfigFromEnv();
    const { logLevel: level } = config;
    const log = createLog({ level, json: false, clock: Date.now, write });
    write(await work(config, log));
  } catch (error) {
    write(`${failure}: ${(error as Error).message.split("\n")[0]}`);
    Deno.exitCode = 1;
  }
}

/** The one file that a command is given. */
export function fileArgument(question: string): string {
  const [path, ...rest] = Deno.args.filter((argument) => argument !== "--");
  if (path === undefined || rest.length > 0) throw new Error(question);
  return path;
}
