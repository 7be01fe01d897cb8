/**
 * The Dockerfile's steps by hand: from a clean checkout, as a user without rights, with the flags that
 * stand there. Not tried: the base image, the layers, the health check's schedule, the volume.
 */

import assert from "node:assert/strict";
import { connect } from "./helpers/client.ts";
import { createRoom, signIn } from "./helpers/people.ts";
import { run, runOrThrow } from "./helpers/system.ts";

const PROJECT = new URL("../", import.meta.url).pathname;

/** `nobody`, where tests run as root. */
const UNPRIVILEGED = Deno.uid() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** What a program finds out about its own rights. Each line is one try. */
const PROBE = `
  const tries = {
    passwd: () => Deno.readTextFile("/etc/passwd"),
    environ: () => Deno.readTextFile("/proc/self/environ"),
    source: () => Deno.readTextFile("main.ts"),
    parent: () => Deno.readTextFile("static/../../../../etc/hosts"),
    write: () => Deno.writeTextFile("static/planted.js", ""),
    outside: () => Deno.writeTextFile("/tmp/planted", ""),
    program: () => new Deno.Command("sh").output(),
    library: () => Deno.dlopen("libc.so.6", {}),
    variable: () => Deno.env.get("PATH"),
    asset: () => Deno.readTextFile("static/build/manifest.json"),
    data: () => Deno.writeTextFile("$DATA/planted", ""),
  };
  const outcomes = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try {
      await attempt();
      outcomes[name] = "allowed";
    } catch (error) {
      outcomes[name] = error.name;
    }
  }
  console.log(JSON.stringify(outcomes));
`;

interface Image extends AsyncDisposable {
  /** `/app` of the last stage. */
  readonly app: string;
  /** `/data`. */
  readonly data: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The command, with `/data` where it is here. */
  readonly command: readonly string[];
}

Deno.test("the Dockerfile's steps from a clean checkout, by a user without rights, give a server that serves a chat and may do nothing else", async () => {
  await using image = await build();
  const { app, data, command } = image;
  const deno = command[0]!;
  const options = { cwd: app, env: { ...image.variables }, ...UNPRIVILEGED };

  const probe = `${data}/probe.js`;
  await Deno.writeTextFile(probe, PROBE.replace("$DATA", data));
  const outcome = await runOrThrow(
    deno,
    [...command.slice(1, -1), probe],
    options,
  );
  const refused = "NotCapable";
  assert.deepEqual(JSON.parse(outcome), {
    ...{ passwd: refused, environ: refused, source: refused },
    ...{ parent: refused, write: refused, outside: refused },
    ...{ program: refused, library: refused, variable: refused },
    ...{ asset: "allowed", data: "allowed" },
  });

  const server = new Deno.Command(deno, {
    ...options,
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = server.stdout.pipeThrough(new TextDecoderStream());
  try {
    const port = await listeningPort(output);
    await chat({ origin: `http://127.0.0.1:${port}` });
    const uid = /^Uid:\s+(\d+)/m.exec(
      await Deno.readTextFile(`/proc/${server.pid}/status`),
    )?.[1];
    assert.equal(Number(uid), UNPRIVILEGED.uid ?? Deno.uid());
  } finally {
    server.kill("SIGTERM");
  }
  assert.equal((await server.status).code, 0);
});

/** Signs in by a code, makes a room, posts over the socket and reads it over HTTP. */
async function chat(served: { origin: string }): Promise<void> {
  const page = await fetch(`${served.origin}/login`);
  assert.match(await page.text(), /src="\/static\/build\/login-/);
  const alice = await signIn(served, "alice");
  const { id: roomId } = await createRoom(alice);
  const socket = await connect(served, alice);
  const clientMsgId = crypto.randomUUID();
  await socket.expect("message:send", { roomId, text: "hello", clientMsgId });
  const { messages } = await alice.getJson<{ messages: { text: string }[] }>(
    `/api/rooms/${roomId}/messages`,
  );
  assert.deepEqual(messages.map(({ text }) => text), ["hello"]);
  await socket.close();
}

async function listeningPort(output: ReadableStream<string>): Promise<number> {
  const reader = output.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended: ${text}`);
    text += value;
    const port = /"?port"?[=:](\d+)/.exec(text)?.[1];
    if (port === undefined) continue;
    // A pipe that nobody reads would stop the server when it is full.
    (async () => {
      while (!(await reader.read()).done);
    })();
    return Number(port);
  }
}

/** Takes the steps of the Dockerfile, in their order. */
async function build(): Promise<Image> {
  const root = await Deno.makeTempDir({ prefix: "chatket-container-" });
  const context = await checkOut(`${root}/context`);
  // The one that runs may lie where only its owner gets.
  const deno = `${root}/bin/deno`;
  await Deno.mkdir(`${root}/bin`);
  await Deno.copyFile(Deno.execPath(), deno);
  await Deno.chmod(deno, 0o755);
  const variables: Record<string, string> = {
    PATH: `${root}/bin:/usr/local/bin:/usr/bin:/bin`,
    HOME: `${root}/home`,
    DENO_DIR: `${root}/deno`,
    HOST: "127.0.0.1",
    JWT_SECRET: "a secret of the container's test, long enough",
    CODE_DELIVERY: "response",
    ALLOW_INSECURE_CODES: "yes",
  };
  const own = async () => {
    if (UNPRIVILEGED.uid === undefined) return;
    await runOrThrow("chown", ["-R", "65534:65534", root]);
  };
  const stages: string[] = [];
  const folder = () => `${root}/stage${stages.length}`;
  let command: string[] = [];
  for (const [word, rest] of await instructions()) {
    if (word === "FROM") {
      stages.push(rest);
      await Deno.mkdir(folder());
      if (stages.length > 1) variables.DENO_DIR = `${root}/empty`;
    } else if (word === "COPY") {
      const from = rest.startsWith("--from=") ? `${root}/stage1` : context;
      const places = rest.replace(/^--from=\S+ \/app\b/, "").trim().split(/ +/);
      const target = places.pop()!;
      for (const place of places.length === 0 ? [""] : places) {
        const isFolder = place.endsWith("/") || place === "";
        await runOrThrow("cp", [
          "-r",
          isFolder ? `${from}/${place}.` : `${from}/${place}`,
          `${folder()}/${target}`,
        ]);
      }
    } else if (word === "RUN" && stages.length === 1) {
      await own();
      await runOrThrow("sh", ["-c", rest], {
        cwd: folder(),
        env: variables,
        ...UNPRIVILEGED,
      });
    } else if (word === "RUN") {
      assert.equal(rest, "mkdir -m 700 /data && chown deno:deno /data");
      await Deno.mkdir(`${root}/data`);
    } else if (word === "ENV") {
      for (const setting of rest.split(" ")) {
        const [name = "", value = ""] = setting.split("=");
        variables[name] = value.replace("/data", `${root}/data`);
      }
    } else if (word === "CMD") {
      command = (JSON.parse(rest) as string[]).map((each) =>
        each === "deno" ? deno : each.replaceAll("/data", `${root}/data`)
      );
    } else {
      // Of these nothing is to be done here; the user is another one.
      assert.ok(
        ["WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"].includes(word),
        word,
      );
    }
  }
  assert.equal(stages.length, 2);
  await own();
  return {
    app: folder(),
    data: `${root}/data`,
    variables: { ...variables, PORT: "0" },
    command,
    async [Symbol.asyncDispose]() {
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** The last commit's files; where there is no repository, the files as they are. @returns the folder */
async function checkOut(folder: string): Promise<string> {
  const archive = `${folder}.tar`;
  const { code } = await run("git", [
    // Whoever owns it: nothing of it is run.
    ...["-c", "safe.directory=*", "-C", PROJECT],
    ...["archive", "--format=tar", `--output=${archive}`, "HEAD"],
  ]);
  if (code !== 0) return PROJECT.replace(/\/$/, "");
  await Deno.mkdir(folder);
  await runOrThrow("tar", ["-xf", archive, "-C", folder]);
  return folder;
}

async function instructions(): Promise<[word: string, rest: string][]> {
  const text = await Deno.readTextFile(`${PROJECT}Dockerfile`);
  return text.replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, "").trim().split("\n")
    .filter((line) => line !== "").map((line) => {
      const [, word = "", rest = ""] = /^(\w+) +(.*)$/.exec(line) ?? [];
      return [word, rest];
    });
}
