/** What the ways to deploy must agree in with the program. */

import assert from "node:assert/strict";

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
  ];
  for (const wait of waits) assert.ok(wait > 10, `${wait}`);
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
