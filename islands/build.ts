/**
 * Bundles what the browser gets: scripts and styles under names that carry their content's hash, a
 * manifest that tells which is which, the files of the documentation, and the compressed forms of all
 * these. `deno run -A islands/build.ts` builds for production.
 */

import * as esbuild from "esbuild";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { precompress } from "./precompress.ts";

const ROOT = new URL("../", import.meta.url);
const OUTPUT = new URL("static/build/", ROOT);
const MANIFEST = new URL("manifest.json", OUTPUT);

/** Browsers that run the scripts: 2024 and later. Older ones get pages of plain forms. */
const TARGET = ["chrome123", "firefox125", "safari17.5"];

/**
 * What the HTML names. Each is built by itself, not split with the others: few large files compress
 * better than many small ones, and nobody loads the login page and the chat at once.
 */
const ENTRIES = {
  chat: "islands/chat.tsx",
  login: "islands/login.tsx",
  sign_out: "islands/sign_out.ts",
  styles: "static/styles.css",
};

const SERVICE_WORKER = "islands/service_worker.ts";

/** Below `static/build/`: what the pages of the documentation name, as it comes. */
const DOCS = "docs/";
const DOCS_SOURCES = [
  new URL("static/docs/docs.css", ROOT).href,
  new URL("static/docs/swagger_init.js", ROOT).href,
  import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
  import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
];

const DAY_MS = 86_400_000;

/** What a change of must lead to another build. */
const SOURCES = [
  "islands/",
  "static/",
  "text/",
  "realtime/protocol/",
  "deno.lock",
];

export interface Manifest {
  /** Hash of all sources; tells whether the build is up to date. */
  sourceHash: string;
  /** Files are relative to `static/build/`; `imports` are those an entry loads first. */
  entries: Record<string, { file: string; imports?: string[] }>;
}

/** Builds everything and writes the manifest. */
export async function buildIslands(
  { minify }: { minify: boolean },
): Promise<Manifest> {
  await Deno.mkdir(new URL(DOCS, OUTPUT), { recursive: true });
  try {
    const outputs: esbuild.Metafile["outputs"] = {};
    for (const [name, source] of Object.entries(ENTRIES)) {
      const { metafile } = await esbuild.build(
        settings({ [name]: source }, minify),
      );
      Object.assign(outputs, metafile.outputs);
    }
    const sourceHash = await hashSources();
    const files = Object.keys(outputs).map(fileName);
    await esbuild.build({
      ...settings({ sw: SERVICE_WORKER }, minify),
      inject: [],
      entryNames: "[name]",
      define: { BUILD: JSON.stringify({ version: sourceHash, files }) },
    });
    const built = [...files, "sw.js", ...await copyDocs()];
    const forms = await precompress(OUTPUT, built);
    const manifest: Manifest = { sourceHash, entries: findEntries(outputs) };
    await Deno.writeTextFile(
      MANIFEST,
      JSON.stringify(manifest, null, 2) + "\n",
    );
    await removeOldFiles([...built, ...forms, "sw.js.map", "manifest.json"]);
    return manifest;
  } finally {
    await esbuild.stop();
  }
}

/** `name: light-dark(one, other)` as a browser without that function can take it: the light one. */
const LIGHT_DARK = /light-dark\(([^(),]+),[^()]+\)/g;

/** Puts the light colours behind the tokens once more, for browsers that cannot choose. */
const lightFallback: esbuild.Plugin = {
  name: "light fallback",
  setup({ onLoad }) {
    onLoad({ filter: /tokens\.css$/ }, async ({ path }) => {
      const css = await Deno.readTextFile(path);
      const light = css.match(/--[\w-]+:[^;{}]*light-dark[^;{}]*;/g) ?? [];
      const fallback = light.join("").replace(LIGHT_DARK, "$1");
      const query = "@supports not (color: light-dark(red, red))";
      return {
        contents: `${css}${query} { :root { ${fallback} } }`,
        loader: "css",
      };
    });
  },
};

const CHAT = fileURLToPath(new URL(ENTRIES.chat, ROOT));

/**
 * Makes all that the chat needs at first one file: what the late parts share with it would be a second
 * one, and one compresses better. The entry is then a line that loads it.
 */
const oneFirstFile: esbuild.Plugin = {
  name: "one first file",
  setup({ onLoad }) {
    onLoad(
      { filter: /islands\/(extras|client\/rooms\/room_refresh)\.ts$/ },
      async ({ path }) => ({
        contents: `import "${CHAT}";${await Deno.readTextFile(path)}`,
        loader: "ts",
      }),
    );
  },
};

function settings(entryPoints: Record<string, string>, minify: boolean) {
  return {
    absWorkingDir: fileURLToPath(ROOT),
    entryPoints,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    outdir: fileURLToPath(OUTPUT),
    bundle: true,
    splitting: true,
    format: "esm",
    metafile: true,
    minify,
    sourcemap: minify ? false : "linked",
    target: TARGET,
    // The classic form of JSX: shorter calls, and no second runtime beside Preact's own `h`.
    jsx: "transform",
    jsxFactory: "h",
    jsxFragment: "Fragment",
    inject: [fileURLToPath(new URL("jsx_factory.ts", import.meta.url))],
    plugins: [lightFallback, oneFirstFile],
    logLevel: "silent",
  } as const satisfies esbuild.BuildOptions;
}

/** The manifest of the last build, undefined when there was none. */
export async function readManifest(): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(MANIFEST));
  } catch {
    return undefined;
  }
}

/** Whether the last build was made from the sources as they are now. */
export async function isBuildFresh(): Promise<boolean> {
  const manifest = await readManifest();
  if (manifest === undefined || manifest.sourceHash !== await hashSources()) {
    return false;
  }
  const files = Object.values(manifest.entries).flatMap((
    { file, imports = [] },
  ) => [file, ...imports]);
  const found = await Promise.all(
    files.map((file) => exists(new URL(file, OUTPUT))),
  );
  return !found.includes(false);
}

function findEntries(
  outputs: esbuild.Metafile["outputs"],
): Manifest["entries"] {
  const entries: Manifest["entries"] = {};
  for (const [path, { entryPoint, imports }] of Object.entries(outputs)) {
    const key = Object.entries(ENTRIES).find(([, source]) =>
      source === entryPoint
    )?.[0];
    const preloads = imports.filter(({ kind }) => kind === "import-statement");
    if (key !== undefined) {
      entries[key] = {
        file: fileName(path),
        imports: preloads.map((chunk) => fileName(chunk.path)),
      };
    }
  }
  return entries;
}

function fileName(path: string): string {
  return path.replace(/^static\/build\//, "");
}

/** @returns the names below `static/build/` */
async function copyDocs(): Promise<string[]> {
  return await Promise.all(DOCS_SOURCES.map(async (source) => {
    const name = DOCS + source.slice(source.lastIndexOf("/") + 1);
    const target = new URL(name, OUTPUT);
    const wanted = await readFile(new URL(source));
    // One that is written anew is compressed anew, which takes seconds.
    const isThere = await exists(target) &&
      wanted.equals(await Deno.readFile(target));
    if (!isThere) await Deno.writeFile(target, wanted);
    return name;
  }));
}

/** Files of earlier builds, a day after: pages that were open until then may still ask for chunks. */
async function removeOldFiles(current: readonly string[]): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(OUTPUT)) {
    if (!isFile || current.includes(name)) continue;
    const file = new URL(name, OUTPUT);
    const { mtime } = await Deno.stat(file);
    if (Date.now() - (mtime?.getTime() ?? 0) > DAY_MS) await Deno.remove(file);
  }
}

async function hashSources(): Promise<string> {
  const paths: string[] = [];
  for (const source of SOURCES) await collect(source, paths);
  const parts: string[] = [];
  for (const path of paths.sort()) {
    const content = await crypto.subtle.digest(
      "SHA-256",
      await Deno.readFile(new URL(path, ROOT)),
    );
    parts.push(`${path}:${new Uint8Array(content).toHex()}`);
  }
  const all = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(parts.join("\n")),
  );
  return new Uint8Array(all).toHex().slice(0, 16);
}

async function collect(path: string, paths: string[]): Promise<void> {
  if (!path.endsWith("/")) return void paths.push(path);
  if (path === "static/build/") return;
  for await (const { name, isDirectory } of Deno.readDir(new URL(path, ROOT))) {
    if (/_test\.tsx?$/.test(name)) continue;
    await collect(path + name + (isDirectory ? "/" : ""), paths);
  }
}

async function exists(file: URL): Promise<boolean> {
  try {
    return (await Deno.stat(file)).isFile;
  } catch {
    return false;
  }
}

if (import.meta.main && !await isBuildFresh()) {
  await buildIslands({ minify: true });
}
