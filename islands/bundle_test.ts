/** What reaches the browser of the server's sources: types, and constants without schemas. */

import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** Scripts that the build starts from. */
const ENTRIES = [
  "islands/chat.tsx",
  "islands/login.tsx",
  "islands/sign_out.ts",
  "islands/service_worker.ts",
];

/** An import or re-export that is still there at run time: not `import type`, nor of types alone. */
const RUNTIME_IMPORT =
  /(?:^(?:import|export) (?!type\b)(?!\{(?:\s*type [\w ]+,?)+\s*\})[^;]*?from |\bimport\(|^import )"([^"]+)"/gm;

/** Everything that a file imports at run time, directly or not: files of ours and packages. */
async function runtimeImports(entry: string): Promise<Map<string, string>> {
  /** Each with the file that imports it. */
  const found = new Map([[entry, ""]]);
  for (const [path] of found) {
    if (!/\.tsx?$/.test(path)) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, target = ""] of text.matchAll(RUNTIME_IMPORT)) {
      const name = target.startsWith(".")
        ? new URL(target, new URL(path, ROOT)).href.slice(ROOT.href.length)
        : target;
      if (!found.has(name)) found.set(name, path);
    }
  }
  return found;
}

Deno.test("the search for imports knows which of them are gone at run time", async () => {
  const protocol = await runtimeImports("realtime/protocol/protocol.ts");
  assert.ok(protocol.has("zod"));
  const sources = [
    ['import { a } from "x";', "x"],
    ['import {\n  type A,\n  b,\n} from "x";', "x"],
    ['export { a } from "x";', "x"],
    ['const a = await import("x");', "x"],
    ['import "x";', "x"],
    ['import type { A } from "x";', undefined],
    ['import { type A, type B } from "x";', undefined],
    ['import {\n  type A,\n  type B as C,\n} from "x";', undefined],
    ['export type { A } from "x";', undefined],
  ] as const;
  for (const [source, expected] of sources) {
    const [match] = source.matchAll(RUNTIME_IMPORT);
    assert.equal(match?.[1], expected, source);
  }
});

Deno.test("the browser imports types and constants of the protocol, no schemas", async () => {
  for (const entry of ENTRIES) {
    for (const [name, importer] of await runtimeImports(entry)) {
      assert.match(
        name,
        /^(islands\/|text\/|realtime\/protocol\/|preact\b|@preact\/signals\b)/,
        `${importer} imports ${name}`,
      );
    }
  }
});

Deno.test("the scripts that are built hold no schema library", async () => {
  const folder = new URL("static/build/", ROOT);
  const manifest: { entries: Record<string, { file: string }> } = JSON.parse(
    await Deno.readTextFile(new URL("manifest.json", folder)),
  );
  const queue = Object.values(manifest.entries).map(({ file }) => file)
    .concat("sw.js");
  const seen = new Set<string>();
  for (const file of queue) {
    if (seen.has(file) || !file.endsWith(".js")) continue;
    seen.add(file);
    const text = await Deno.readTextFile(new URL(file, folder));
    assert.doesNotMatch(text, /safeParse|ZodType/, file);
    for (const [, name = ""] of text.matchAll(/["']\.\/([\w-]+\.js)["']/g)) {
      queue.push(name);
    }
  }
  assert.ok(seen.size >= 5, [...seen].join());
});
