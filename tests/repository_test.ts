/** What must agree between files that no compiler compares. */

import assert from "node:assert/strict";
import { CONFIG_VARIABLES, loadConfig } from "../config.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

interface DenoJson {
  tasks: Record<string, { command: string }>;
  imports: Record<string, string>;
  permissions: Record<string, { env: string[]; run?: string[] }>;
}

const denoJson: DenoJson = JSON.parse(await read("deno.json"));

async function sources(
  folder: string,
  keep = (path: string) => !/_test\.tsx?$/.test(path),
): Promise<string[]> {
  const found: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    const path = folder + name;
    if (isDirectory) found.push(...await sources(`${path}/`, keep));
    else if (/\.tsx?$/.test(name) && keep(path)) found.push(path);
  }
  return found;
}

Deno.test("every file that names Deno's version names the one in .deno-version", async () => {
  const version = (await read(".deno-version")).trim();
  assert.equal(Deno.version.deno, version);
  const mentions = async (path: string, pattern: RegExp) => {
    const found = [...(await read(path)).matchAll(pattern)].map((hit) =>
      hit[1]
    );
    assert.ok(found.length > 0, `${path} names no version`);
    assert.deepEqual([...new Set(found)], [version], path);
  };
  await mentions("README.md", /\bdeno@([\d.]+\d)/g);
  await mentions("Dockerfile", /^FROM denoland\/deno:(\S+)/gm);
  assert.match(await read(".ci/run"), /cat \.deno-version/);
});

Deno.test("the server may read the variables of its settings and of the PostgreSQL driver, and no others", () => {
  const driver = ["PG*", "USER"];
  assert.deepEqual(
    denoJson.permissions.default?.env.toSorted(),
    [...CONFIG_VARIABLES, ...driver].sort(),
  );
});

Deno.test("the container runs the server with the permissions of `deno task start`", async () => {
  const command = /^CMD (\[.*\])$/m.exec(await read("Dockerfile"))?.[1];
  assert.ok(command);
  const permissions = (words: readonly string[]) =>
    words.filter((word) => /^(-A|-P|--allow|--deny|--no-prompt)/.test(word))
      .sort();
  const { start, dev } = denoJson.tasks;
  const flags = (task: string) =>
    permissions(
      (task.split("&&").at(-1) ?? "").replaceAll('"', "").split(" "),
    );
  assert.deepEqual(
    permissions(JSON.parse(command)),
    flags(start!.command).map((flag) =>
      flag.replace(/\$(READ|WRITE)/, "/data,/var/run/postgresql")
    ),
  );
  assert.deepEqual(flags(dev!.command), flags(start!.command));
});

Deno.test("the bundler that may be run is the installed version", () => {
  const version = denoJson.imports.esbuild?.split("@").at(-1);
  for (const program of denoJson.permissions.build?.run ?? []) {
    assert.ok(program.includes(`@${version}/`), program);
  }
});

Deno.test("imports are exact versions", () => {
  for (const [name, target] of Object.entries(denoJson.imports)) {
    assert.match(target, /@\d+\.\d+\.\d+\/?$/, name);
  }
});

Deno.test("docs/configuration.md has every setting, with its default", async () => {
  const rows = [
    ...(await read("docs/configuration.md")).matchAll(
      /^\| `([A-Z_]+)` +\| (.+?) +\|/gm,
    ),
  ];
  const defaults = new Map(rows.map(([, name, value]) => [name, value]));
  for (const variable of CONFIG_VARIABLES) {
    const text = defaults.get(variable);
    assert.ok(text, variable);
    const value = /^`(.+?)`/.exec(text)?.[1];
    // Saying the default must change nothing; what has none is said in words.
    assert.deepEqual(
      loadConfig({ [variable]: value }),
      loadConfig({}),
      variable,
    );
  }
});

Deno.test("every setting that .env.example, compose or Fly name exists", async () => {
  const known = new Set<string>([...CONFIG_VARIABLES, "POSTGRES_PASSWORD"]);
  const names = [
    ...(await read(".env.example")).matchAll(/^([A-Z_]+)=/gm),
    ...(await read("docker-compose.yml")).matchAll(/\$\{([A-Z_]+)[:}]/g),
    ...(await read("fly.toml")).matchAll(/^([A-Z_]+) =/gm),
    ...(await read("deploy/fly.machines.toml")).matchAll(/^([A-Z_]+) =/gm),
  ].map((hit) => hit[1]!);
  assert.ok(names.length > 8);
  for (const name of names) assert.ok(known.has(name), name);
});

Deno.test("links in the documents lead to files that exist", async () => {
  const documents = [
    ...["README.md", "CONTRIBUTING.md", "DEPLOY.md", "SECURITY.md"],
    ...["architecture", "configuration", "decisions", "scaling"].map((name) =>
      `docs/${name}.md`
    ),
    "bench/README.md",
  ];
  for (const path of documents) {
    const text = await read(path);
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      await Deno.stat(new URL(target, new URL(path, ROOT))).catch(() =>
        assert.fail(`${path}: ${target} does not exist`)
      );
    }
  }
});

/** Which other parts a part may import; each may import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  text: [],
  base: [],
  db: ["base"],
  realtime: ["base", "db"],
  routes: ["base", "db", "realtime"],
  islands: ["protocol"],
  protocol: [],
  pages: ["base", "db", "realtime", "routes", "islands"],
  main: ["base", "db", "realtime", "routes"],
};

function partOf(path: string): string {
  if (path === "main.ts") return "main";
  // The settings check URLs by it; it imports nothing.
  if (path === "db/engine/server_url.ts") return "base";
  if (path.startsWith("realtime/protocol/")) return "protocol";
  if (/^routes\/(pages\/|.*\.tsx$)/.test(path)) return "pages";
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "base";
}

/** Folders whose files run, on the server or in the browser. */
const FOLDERS = ["db/", "realtime/", "routes/", "islands/", "text/"];

/** The sources of these folders and of the top level. */
async function sourcesOf(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(folders.map((folder) => sources(folder)));
  return [...found.flat(), "main.ts", "config.ts", "log.ts"];
}

/** The files of this project that a file imports, by type alone included. */
async function importsOf(file: string): Promise<string[]> {
  const targets = [...(await read(file)).matchAll(IMPORT)];
  return targets.map(([, target = ""]) =>
    new URL(target, new URL(file, ROOT)).href.slice(ROOT.href.length)
  );
}

Deno.test("imports point one way: main → routes → realtime → db, islands → protocol, all → text", async () => {
  for (const file of await sourcesOf(FOLDERS)) {
    const from = partOf(file);
    const allowed = new Set([from, "text", ...MAY_IMPORT[from] ?? []]);
    if (allowed.has("realtime")) allowed.add("protocol");
    if (from === "routes" || from === "main") allowed.add("pages");
    for (const path of await importsOf(file)) {
      assert.ok(allowed.has(partOf(path)), `${file} imports ${path}`);
    }
  }
});

Deno.test("no file imports itself by way of others, by type alone included", async () => {
  const files = await sourcesOf(FOLDERS);
  const imports = new Map<string, string[]>();
  for (const file of files) imports.set(file, await importsOf(file));
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    assert.ok(!way.includes(file), [...way, file].join(" → "));
    if (done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  files.forEach((file) => visit(file, []));
  assert.ok(done.size > 100);
});

Deno.test("a source has at most 300 lines, the server's settings aside", async () => {
  for (const file of await sourcesOf(FOLDERS)) {
    if (file === "config.ts" || file.endsWith("_test.ts")) continue;
    const lines = (await read(file)).split("\n").length - 1;
    assert.ok(lines <= 300, `${file} has ${lines} lines`);
  }
});

/** A relative import or re-export, static or dynamic, of a module. */
const IMPORT = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+\.tsx?)"/g;

Deno.test("importing the server opens nothing: it ends by itself and asks for no file or network", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    // The PostgreSQL driver looks at its variables when it is imported.
    args: [
      ...["run", "-q", "--no-check", "--no-prompt", "--allow-env"],
      new URL("tests/helpers/import_only.ts", ROOT).pathname,
    ],
    stdin: "null",
    signal: AbortSignal.timeout(20_000),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
