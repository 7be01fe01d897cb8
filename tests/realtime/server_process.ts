/** The server in a process of its own, for tests that end it. */

import type { TestPlace } from "../helpers/database.ts";
import type { EnvOverrides } from "../helpers/app.ts";
import type { Served } from "../helpers/people.ts";

export interface ServerProcess extends Served, AsyncDisposable {
  readonly port: number;
  /** Sends a signal and goes on. */
  signal(signal: Deno.Signal): void;
  /** How it ended. */
  readonly ended: Promise<Deno.CommandStatus>;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Starts the server on a place and waits until it listens. */
export async function startServer(
  place: TestPlace,
  env: EnvOverrides = {},
): Promise<ServerProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", MAIN],
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      AUTH_RATE_LIMIT: "off",
      DATABASE_URL: "",
      ...place.env,
      ...env,
    } as Record<string, string>,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  let port: string | undefined;
  while (port === undefined) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the server ended: ${printed}`);
    printed += value;
    port = /\bport"?[=:](\d+)/.exec(printed)?.[1];
  }
  // A pipe that nobody reads would stop the server when it is full.
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  const ended = child.status.then(async (status) => {
    await drained;
    return status;
  });
  let isOver = false;
  ended.then(() => isOver = true);
  return {
    origin: `http://127.0.0.1:${port}`,
    port: Number(port),
    signal: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await ended;
    },
  };
}
