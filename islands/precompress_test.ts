import assert from "node:assert/strict";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { precompress } from "./precompress.ts";

Deno.test("precompress() writes the smaller forms of texts, and no others", async () => {
  const path = await Deno.makeTempDir();
  const folder = new URL(`file://${path}/`);
  try {
    const text = "body { color: rebeccapurple }\n".repeat(200);
    await Deno.mkdir(`${path}/docs`);
    for (const name of ["a.css", "docs/b.js", "c.png"]) {
      await Deno.writeTextFile(new URL(name, folder), text);
    }
    await Deno.writeTextFile(new URL("tiny.js", folder), "1");
    const names = ["a.css", "docs/b.js", "c.png", "tiny.js"];
    const forms = ["a.css.br", "a.css.gz", "docs/b.js.br", "docs/b.js.gz"];
    assert.deepEqual(await precompress(folder, names), forms);
    for (const form of forms) {
      const bytes = await Deno.readFile(new URL(form, folder));
      assert.ok(bytes.length < text.length);
      const plain = form.endsWith(".br")
        ? brotliDecompressSync(bytes)
        : gunzipSync(bytes);
      assert.equal(plain.toString(), text);
    }
    const left = [...Deno.readDirSync(path)].map(({ name }) => name);
    assert.deepEqual(
      left.sort(),
      ["a.css", "a.css.br", "a.css.gz", "c.png", "docs", "tiny.js"],
    );
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("precompress() renews the forms of a file that has changed, and only those", async () => {
  const path = await Deno.makeTempDir();
  const folder = new URL(`file://${path}/`);
  const write = async (name: string, text: string, at: number) => {
    await Deno.writeTextFile(new URL(name, folder), text.repeat(100));
    await Deno.utime(new URL(name, folder), at, at);
  };
  try {
    await write("same.css", "before ", 1);
    await write("changed.css", "before ", 1);
    const names = ["same.css", "changed.css"];
    await precompress(folder, names);
    for (const name of names) await write(`${name}.gz`, "form ", 2);
    await write("changed.css", "after ", 3);
    assert.equal((await precompress(folder, names)).length, 4);
    const read = (name: string) => Deno.readFile(new URL(name, folder));
    const changed = gunzipSync(await read("changed.css.gz")).toString();
    assert.equal(changed, "after ".repeat(100));
    const same = new TextDecoder().decode(await read("same.css.gz"));
    assert.equal(same, "form ".repeat(100));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
