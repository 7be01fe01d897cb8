/** The server as operators run it: a process of its own, by the task, with its own permissions. */

import assert from "node:assert/strict";
import { type EnvOverrides } from "./helpers/app.ts";
import { expectTook, stopwatch } from "./helpers/timing.ts";
import { connect } from "./helpers/client.ts";
import { makePlace } from "./helpers/database.ts";
import { codeIn, startMailServer } from "./helpers/mail_server.ts";
import { run } from "./helpers/system.ts";
import { createRoom, expectJson, postJson, signIn } from "./helpers/people.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

/** Starts `deno task start` on a free port. */
function startTask(env: EnvOverrides) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "start"],
    env: { HOST: "127.0.0.1", PORT: "0", DATABASE_URL: "", ...env } as Record<
      string,
      string
    >,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  const readMore = async () => {
    const { done, value } = await reader.read();
    printed += value ?? "";
    return !done;
  };
  return {
    /** Where it listens, once it has logged it. */
    async origin(): Promise<string> {
      for (;;) {
        const port = /\bport"?[=:](\d+)/.exec(printed)?.[1];
        if (port !== undefined) return `http://127.0.0.1:${port}`;
        if (!await readMore()) throw new Error(await stderr);
      }
    },
    /** Resolves when it has printed a text. */
    async hasPrinted(text: string): Promise<void> {
      while (!printed.includes(text)) {
        if (!await readMore()) throw new Error(await stderr);
      }
    },
    /** Sends SIGTERM to the task; the exit status and all that was printed, once it has ended. */
    async stop() {
      child.kill("SIGTERM");
      return await this.ended();
    },
    async ended() {
      while (await readMore());
      const { code } = await child.status;
      return { code, stdout: printed, stderr: await stderr };
    },
  };
}

Deno.test("`deno task start` serves with its own permissions and ends with status 0 on SIGTERM", async () => {
  await using place = await makePlace("pglite");
  const task = startTask(place.env);
  const app = { origin: await task.origin() };
  const alice = await signIn(app, "alice");
  const room = await createRoom(alice);
  const client = await connect(app, alice);
  await client.expect("message:send", {
    roomId: room.id,
    text: "hello",
    clientMsgId: crypto.randomUUID(),
  });
  for (
    const path of ["/", "/login", "/docs/", "/docs/openapi.json", "/ready"]
  ) {
    const answer = await fetch(app.origin + path);
    assert.equal(answer.status, 200, path);
    await answer.body?.cancel();
  }

  const stopping = stopwatch();
  const { code, stderr } = await task.stop();
  assert.equal(code, 0, stderr);
  expectTook("stopping", stopping(), 10_000);
  assert.equal((await client.closed).code, 1012);
});

Deno.test("a part that cannot be closed does not keep the process from its end", async () => {
  await using place = await makePlace("pglite");
  const task = startTask(place.env);
  await (await fetch(`${await task.origin()}/health`)).body?.cancel();
  // What stands in the place of the backup's socket cannot be removed as one.
  const socket = `${place.env.DATA_DIR}/backup.sock`;
  await Deno.remove(socket);
  await Deno.mkdir(`${socket}/in the way`, { recursive: true });
  const { code, stdout } = await task.stop();
  assert.equal(code, 0);
  assert.match(stdout, /a part could not be closed/);
  assert.match(stdout, /ChatKet has stopped/);
});

Deno.test("SIGTERM while the server starts ends it with status 0", async () => {
  await using place = await makePlace("pglite");
  const task = startTask(place.env);
  // The next thing it does is to read its keys and listen.
  await task.hasPrinted("database migrated");
  assert.equal((await task.stop()).code, 0);
});

Deno.test("sessions and rooms outlive a restart in development", async () => {
  await using place = await makePlace("pglite");
  const first = startTask(place.env);
  const alice = await signIn({ origin: await first.origin() }, "alice");
  const room = await createRoom(alice);
  await first.stop();

  const second = startTask(place.env);
  const answer = await fetch(`${await second.origin()}/api/rooms`, {
    headers: { cookie: alice.cookie },
  });
  assert.deepEqual(
    (await answer.json()).map((each: { id: string }) => each.id),
    [room.id],
  );
  await second.stop();
});

Deno.test("the permissions of `deno task start` are enough to mail a login code", async () => {
  await using mail = await startMailServer();
  await using place = await makePlace("pglite");
  const task = startTask({
    ...place.env,
    CHATKET_ENV: "production",
    JWT_SECRET: SECRET,
    CODE_DELIVERY: "email",
    SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
    MAIL_FROM: "chat@example.org",
  });
  const app = { origin: await task.origin() };
  const username = "alice";
  const email = "alice@example.org";
  await expectJson(
    await postJson(app, "/api/auth/request-code", { username, email }),
    200,
  );
  const code = codeIn(await mail.next(email));
  await expectJson(
    await postJson(app, "/api/auth/verify-code", { username, code }),
    200,
  );
  const { code: status, stderr } = await task.stop();
  assert.equal(status, 0, stderr);
});

/** Starts that an operator can mend: each is refused in one line that names the fault. */
const REFUSED: readonly { what: string; env: EnvOverrides; line: RegExp }[] = [
  {
    what: "a bad value",
    env: { MAX_SOCKETS_PER_USER: "many" },
    line: /MAX_SOCKETS_PER_USER: "many" is not accepted/,
  },
  {
    what: "production without a secret",
    env: { CHATKET_ENV: "production", CODE_DELIVERY: "console" },
    line: /JWT_SECRET: missing in production/,
  },
  {
    what: "production that would give login codes to whoever asks",
    env: {
      CHATKET_ENV: "production",
      JWT_SECRET: SECRET,
      CODE_DELIVERY: "response",
    },
    line: /CODE_DELIVERY: "response" lets anybody sign in/,
  },
  {
    what: "production without a word on how codes are delivered",
    env: { CHATKET_ENV: "production", JWT_SECRET: SECRET },
    line: /CODE_DELIVERY: missing in production/,
  },
];

/** Settings that read well, but that the machine has nothing for. */
const UNUSABLE: typeof REFUSED = [
  {
    what: "an address that this machine does not have",
    env: { HOST: "192.0.2.1" },
    line: /HOST: "192\.0\.2\.1": .*; accepted: /,
  },
  {
    what: "a data folder that is a file",
    env: { DATA_DIR: "main.ts" },
    line: /DATA_DIR: "main\.ts": .*; accepted: /,
  },
  {
    what: "a database that is not there",
    env: { DATABASE_URL: "postgres://chat:hidden@127.0.0.1:1/chat" },
    line: /DATABASE_URL: (?!.*hidden).*ECONNREFUSED.*; accepted: /,
  },
  {
    what: "a Unix socket that is not there",
    env: { DATABASE_URL: "postgres://chat@%2Fnowhere/chat" },
    line: /DATABASE_URL: connect ENOENT \/nowhere\/.*; accepted: /,
  },
];

for (const { what, env, line } of [...REFUSED, ...UNUSABLE]) {
  Deno.test(`${what} stops the start with status 1 and one line`, async () => {
    await using place = await makePlace("pglite");
    const ended = await startTask({ ...place.env, ...env }).ended();
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, line);
    assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  });
}

Deno.test("a file system that is full stops the start with status 1 and one line, and leaves no half of a database", async () => {
  await using place = await makePlace("pglite");
  // No file may grow past 50 KiB: what the system says of a full disk, and root is not spared.
  const limited = `trap '' XFSZ; ulimit -f 100; exec "$0" run -q -A main.ts`;
  const env = { HOST: "127.0.0.1", PORT: "0", DATABASE_URL: "", ...place.env };
  const ended = await run("sh", ["-c", limited, Deno.execPath()], { env });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /DATA_DIR: ".*": File too large.*; accepted: /);
  assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  const left = await Array.fromAsync(Deno.readDir(place.dataDir));
  assert.deepEqual(left.map(({ name }) => name), ["lock"]);
});

Deno.test("a port that is taken stops the start with status 1 and one line", async () => {
  await using place = await makePlace("pglite");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const PORT = String(taken.addr.port);
  const ended = await startTask({ ...place.env, PORT }).ended();
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, new RegExp(`PORT: ${PORT}: .*; accepted: `));
  assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
});

Deno.test("a second server on the same folder is refused in one line, and the first serves on", async () => {
  await using place = await makePlace("pglite");
  const first = startTask(place.env);
  const origin = await first.origin();
  const second = await startTask(place.env).ended();
  assert.equal(second.code, 1);
  assert.match(second.stderr, /in use by another ChatKet process/);
  assert.equal(second.stderr.trim().split("\n").length, 1, second.stderr);
  const ready = await fetch(`${origin}/ready`);
  assert.equal(ready.status, 200, await ready.text());
  await first.stop();
});
