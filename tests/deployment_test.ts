/** What the ways to deploy must agree in with the program. */

import assert from "node:assert/strict";
import { CONFIG_VARIABLES } from "../config.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

Deno.test("systemd runs the server with the permissions of the container", async () => {
  const container = /^CMD (\[.*\])$/m.exec(await read("Dockerfile"))?.[1];
  const unit = /^ExecStart=(.*)$/m.exec(
    await read("deploy/chatket.service"),
  )?.[1];
  assert.ok(container && unit);
  assert.deepEqual(
    unit.replaceAll("/var/lib/chatket", "/data").split(" ").slice(1),
    JSON.parse(container).slice(1),
  );
});

Deno.test("systemd and Docker wait longer for the stop than the server takes", async () => {
  const seconds = async (path: string, pattern: RegExp) =>
    Number(pattern.exec(await read(path))?.[1]);
  const waits = [
    await seconds("deploy/chatket.service", /^TimeoutStopSec=(\d+)$/m),
    await seconds("docker-compose.yml", /stop_grace_period: (\d+)s/),
    await seconds("fly.toml", /^kill_timeout = (\d+)$/m),
    await seconds("deploy/fly.machines.toml", /^kill_timeout = (\d+)$/m),
  ];
  for (const wait of waits) assert.ok(wait > 10, `${wait}`);
});

Deno.test("wherever the server is deployed its memory is limited, and what ends is started again", async () => {
  const compose = await read("docker-compose.yml");
  const chat = /\n {2}chat: &server\n([\s\S]*?)\n\n/.exec(compose)?.[1] ?? "";
  assert.match(chat, /^ {4}mem_limit: \d+[mg]$/m);
  assert.match(chat, /^ {4}restart: unless-stopped$/m);
  assert.match(compose, /\n {2}machine:\n {4}<<: \*server\n/);
  const unit = await read("deploy/chatket.service");
  assert.match(unit, /^MemoryMax=\d+[MG]$/m);
  assert.match(unit, /^Restart=always$/m);
  for (const fly of ["fly.toml", "deploy/fly.machines.toml"]) {
    assert.match(await read(fly), /^memory = "\d+[mg]b"$/m, fly);
  }
  const [run = ""] =
    /^docker run (?:.*\\\n)*.*$/m.exec(await read("DEPLOY.md")) ?? [];
  assert.match(run, / --memory \d+[mg] /);
  assert.match(run, / --restart unless-stopped /);
});

Deno.test("what .env says reaches the server in docker-compose.yml", async () => {
  // Fixed by the image or by the file: where it listens, where it keeps files, that it is production.
  const fixed = ["DATA_DIR", "PORT", "HOST", "CHATKET_ENV", "AUTH_RATE_LIMIT"];
  const compose = await read("docker-compose.yml");
  const passed = [...compose.matchAll(/^ {6}([A-Z_]+): .*\$\{/gm)];
  const names = passed.map(([, name]) => name);
  const missing = CONFIG_VARIABLES.filter((name) =>
    !fixed.includes(name) && !names.includes(name)
  );
  assert.deepEqual(missing, []);
});

Deno.test("the compose files of one deployment share no service but the server", async () => {
  const services = async (path: string) =>
    [...(await read(path)).split("\nservices:\n")[1]!.matchAll(/^ {2}(\w+):/gm)]
      .map(([, name]) => name);
  const shipped = await services("docker-compose.yml");
  const front = await services("deploy/docker-compose.front.yml");
  // A service of the same name would be merged, its profile and its ports too.
  assert.deepEqual(front.filter((name) => shipped.includes(name)), ["chat"]);
});

Deno.test("the container's command is not run by root", async () => {
  const lines = (await read("Dockerfile")).split("\n");
  const last = (pattern: RegExp) =>
    lines.findLastIndex((line) => pattern.test(line));
  const user = last(/^USER /);
  assert.equal(lines[user], "USER deno");
  assert.ok(user > last(/^FROM /) && user < last(/^CMD /));
});

Deno.test("links in the documents for operators and contributors lead to files that exist", async () => {
  for (
    const path of [
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "DEPLOY.md",
      "SECURITY.md",
    ]
  ) {
    const text = await read(path);
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      await Deno.stat(new URL(target, ROOT)).catch(() =>
        assert.fail(`${path}: ${target} does not exist`)
      );
    }
  }
});

Deno.test("the hosted check is the one that people run", async () => {
  assert.match(
    await read(".github/workflows/ci.yml"),
    /^ {6}- run: \.ci\/run$/m,
  );
});
