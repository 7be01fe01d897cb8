/** The server as a process whose surroundings fail: its log, its descriptors, its terminal. */

import assert from "node:assert/strict";
import { systemTimers, type Timers } from "../realtime/timers.ts";
import { startTestApp } from "./helpers/app.ts";
import { connect } from "./helpers/client.ts";
import { makePlace } from "./helpers/database.ts";
import { signIn } from "./helpers/people.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;
const METRICS_TOKEN = "0123456789abcdef";

/** More than a pipe holds (64 KiB), as lines of the log. */
const LINES = 60;
const LONG_PATH = "/" + "x".repeat(2_000);

/** Descriptors that the process may have in the test of what happens without any. */
const DESCRIPTORS = 256;

/** Starts the server; what it prints is read until it says where it listens, and no further. */
async function startServer(
  place: { env: Record<string, string | undefined> },
  descriptors = 65_536,
) {
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `ulimit -n ${descriptors}; exec "$0" run -q -A "$1"`,
      Deno.execPath(),
      MAIN,
    ],
    env: {
      ...{ HOST: "127.0.0.1", PORT: "0", DATABASE_URL: "", METRICS_TOKEN },
      ...place.env,
    } as Record<string, string>,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const log = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  let port: number | undefined;
  while (port === undefined) {
    const { done, value } = await log.read();
    if (done) throw new Error(`the server ended: ${printed}`);
    printed += value;
    const found = /\bport"?[=:](\d+)/.exec(printed)?.[1];
    if (found !== undefined) port = Number(found);
  }
  return {
    ...{ child, log, port, origin: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      await log.cancel().catch(() => {});
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
}

async function fillLog(origin: string): Promise<void> {
  for (let n = 0; n < LINES; n++) {
    const answer = await fetch(origin + LONG_PATH);
    assert.equal(answer.status, 404);
    await answer.body?.cancel();
  }
}

async function droppedLines(origin: string): Promise<number> {
  const answer = await fetch(`${origin}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  const [, count] = /^chatket_log_lines_dropped_total (\d+)$/m.exec(
    await answer.text(),
  ) ?? [];
  return Number(count);
}

Deno.test("a log whose reader has ended is dropped and counted, the chat goes on, and a hangup ends it in order", async () => {
  await using place = await makePlace("pglite");
  await using server = await startServer(place);
  await server.log.cancel();
  const alice = await signIn(server, "alice");
  const socket = await connect(server, alice);
  await socket.expect("presence:ping", {});
  await using another = await connect(server, alice);
  await another.expect("presence:ping", {});
  assert.ok(await droppedLines(server.origin) > 0);
  server.child.kill("SIGHUP");
  assert.equal((await socket.closed).code, 1012);
  assert.equal((await server.child.status).code, 0);
});

Deno.test("a log whose reader stalls stops nothing, and SIGTERM ends the process", async () => {
  await using place = await makePlace("pglite");
  await using server = await startServer(place);
  await fillLog(server.origin);
  const alice = await signIn(server, "alice");
  await using socket = await connect(server, alice);
  await socket.expect("presence:ping", {});
  server.child.kill("SIGTERM");
  assert.equal((await server.child.status).code, 0);
});

Deno.test("a process without descriptors ends with status 1, so that it is started again", async () => {
  await using place = await makePlace("pglite");
  await using server = await startServer(place, DESCRIPTORS);
  const crowd: Deno.TcpConn[] = [];
  let isOver = false;
  const ended = server.child.status.then(({ code }) => {
    isOver = true;
    return code;
  });
  while (!isOver && crowd.length < 2 * DESCRIPTORS) {
    try {
      const { port } = server;
      crowd.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      break; // It listens no more.
    }
  }
  assert.equal(await ended, 1);
  for (const connection of crowd) connection.close();
});

Deno.test("a start that fails at its port leaves no timer, and the database for the next one", async () => {
  await using place = await makePlace("pglite");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const waiting = new Set<() => void>();
  const timers: Timers = {
    after(ms, run) {
      const cancel = systemTimers.after(ms, () => {
        waiting.delete(cancel);
        run();
      });
      waiting.add(cancel);
      return () => {
        waiting.delete(cancel);
        cancel();
      };
    },
  };
  const port = String(taken.addr.port);
  await assert.rejects(
    startTestApp({ PORT: port }, { place, start: { timers } }),
    /PORT/,
  );
  assert.equal(waiting.size, 0);
  await using _next = await startTestApp({}, { place });
});
