/**
 * Bundles what the browser gets: scripts and styles under names that carry their content's hash, and
 * a manifest that tells which is which. `deno run -A islands/build.ts` builds for production.
 */

import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const ROOT = new URL("../", import.meta.url);
const OUTPUT = new URL("static/build/", ROOT);
const MANIFEST = new URL("manifest.json", OUTPUT);

/** Browsers that have everything the pages use: 2022 and later. */
const TARGET = ["chrome105", "firefox115", "safari16"];

/**
 * What the HTML names. Each is built by itself, not split with the others: few large files compress
 * better than many small ones, and nobody loads the login page and the chat at once.
 */
const ENTRIES = {
  chat: "islands/chat.tsx",
  login: "islands/login.tsx",
  styles: "static/styles.css",
};

/** What a change of must lead to another build. */
const SOURCES = ["islands/", "static/", "realtime/protocol.ts", "deno.lock"];

export interface Manifest {
  /** Hash of all sources; tells whether the build is up to date. */
  sourceHash: string;
  /** Files are relative to `static/build/`; `imports` are those an entry loads first. */
  entries: Record<string, { file: string; imports?: string[] }>;
}

export interface BuildOptions {
  minify: boolean;
  /** Called with the manifest of every later build; building then goes on until `stop`. */
  onRebuild?: (manifest: Manifest) => void;
}

/** Builds everything and writes the manifest. With `onRebuild` it watches for changes, too. */
export async function buildIslands(
  options: BuildOptions,
): Promise<{ manifest: Manifest; stop: () => Promise<void> }> {
  await Deno.mkdir(OUTPUT, { recursive: true });
  const metafiles = new Map<string, esbuild.Metafile>();
  let manifest: Manifest | undefined;
  const finish = async (
    entry: string,
    { metafile, errors }: esbuild.BuildResult,
  ) => {
    if (metafile === undefined || errors.length > 0) return;
    metafiles.set(entry, metafile);
    if (metafiles.size < Object.keys(ENTRIES).length) return;
    const outputs = Object.assign(
      {},
      ...[...metafiles.values()].map((built) => built.outputs),
    );
    const isRebuild = manifest !== undefined;
    manifest = {
      sourceHash: await hashSources(),
      entries: findEntries(outputs),
    };
    // Renamed into place: a server that starts meanwhile reads a whole manifest.
    const fresh = new URL(`manifest-${crypto.randomUUID()}.json`, OUTPUT);
    await Deno.writeTextFile(fresh, JSON.stringify(manifest, null, 2) + "\n");
    await Deno.rename(fresh, MANIFEST);
    await removeOldFiles(outputs);
    if (isRebuild) options.onRebuild?.(manifest);
  };
  const contexts = await Promise.all(
    Object.keys(ENTRIES).map((entry) =>
      esbuild.context(
        settings(entry as keyof typeof ENTRIES, options.minify, finish),
      )
    ),
  );
  const stop = async () => {
    await Promise.all(contexts.map((context) => context.dispose()));
    await esbuild.stop();
  };
  try {
    for (const context of contexts) await context.rebuild();
    if (options.onRebuild) {
      await Promise.all(contexts.map((context) => context.watch()));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  if (manifest === undefined) {
    throw new Error("building the islands: no output");
  }
  return { manifest, stop };
}

function settings(
  entry: keyof typeof ENTRIES,
  minify: boolean,
  finish: (entry: string, result: esbuild.BuildResult) => Promise<void>,
): esbuild.BuildOptions {
  return {
    absWorkingDir: fileURLToPath(ROOT),
    entryPoints: { [entry]: ENTRIES[entry] },
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
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".woff2": "file" },
    logLevel: "silent",
    plugins: [{
      name: "manifest",
      setup: (build) => build.onEnd((result) => finish(entry, result)),
    }],
  };
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
  const name = (path: string) => path.replace(/^static\/build\//, "");
  const entries: Manifest["entries"] = {};
  for (const [path, { entryPoint, imports }] of Object.entries(outputs)) {
    const key = Object.entries(ENTRIES).find(([, source]) =>
      source === entryPoint
    )?.[0];
    if (key === undefined) continue;
    const preloads = imports.filter(({ kind }) => kind === "import-statement");
    entries[key] = {
      file: name(path),
      imports: preloads.map((chunk) => name(chunk.path)),
    };
  }
  for (const path of Object.keys(outputs)) {
    // The one font file every page needs at once, so that its HTML can ask for it early.
    if (/figtree-latin-wght-normal-.*\.woff2$/.test(path)) {
      entries.font = { file: name(path) };
    }
  }
  return entries;
}

/** Files of earlier builds, a day after: pages that were open until then may still ask for chunks. */
async function removeOldFiles(
  outputs: esbuild.Metafile["outputs"],
): Promise<void> {
  const current = new Set(
    Object.keys(outputs).map((path) => path.split("/").at(-1)),
  );
  current.add("manifest.json");
  for await (const { name } of Deno.readDir(OUTPUT)) {
    if (current.has(name)) continue;
    const file = new URL(name, OUTPUT);
    const { mtime } = await Deno.stat(file);
    if (Date.now() - (mtime?.getTime() ?? 0) > 86_400_000) {
      await Deno.remove(file);
    }
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

if (import.meta.main) {
  const { stop } = await buildIslands({ minify: true });
  await stop();
}
