import assert from "node:assert/strict";
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
} from "node:zlib";
import { assetRoutes } from "./assets.ts";

const STYLE = "body { color: rebeccapurple }\n".repeat(200);

async function withFolder(
  run: (
    get: (
      path: string,
      headers?: Record<string, string>,
      method?: string,
    ) => Promise<Response>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/static/build`, { recursive: true });
    await Deno.writeTextFile(`${folder}/secret.txt`, "secret");
    await Deno.writeTextFile(`${folder}/static/.env`, "secret");
    const style = `${folder}/static/style.css`;
    await Deno.writeTextFile(style, STYLE);
    await Deno.writeFile(`${style}.br`, brotliCompressSync(STYLE));
    await Deno.writeFile(`${style}.gz`, gzipSync(STYLE));
    await Deno.writeTextFile(`${folder}/static/manifest.webmanifest`, "{}");
    await Deno.writeTextFile(`${folder}/static/build/sw.js`, "/* worker */");
    await Deno.writeTextFile(`${folder}/static/build/chat-A1B2C3D4.js`, "1");
    await Deno.writeTextFile(`${folder}/static/build/manifest.json`, "{}");
    const staticDir = new URL(`file://${folder}/static/`);
    const app = assetRoutes({ staticDir });
    // Requests as Deno.serve makes them: the path comes as it was sent.
    const get = async (path: string, headers = {}, method = "GET") => {
      const request = new Request("http://chat.test/", { headers, method });
      Object.defineProperty(request, "url", {
        value: `http://chat.test${path}`,
      });
      return await app.fetch(request);
    };
    await run(get, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("GET /static/ answers a file with its type and an ETag to ask again with", async () => {
  await withFolder(async (get) => {
    const answer = await get("/static/style.css");
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/css/);
    assert.equal(answer.headers.get("cache-control"), "no-cache");
    assert.equal(await answer.text(), STYLE);
    const etag = answer.headers.get("etag") ?? "";
    const again = await get("/static/style.css", { "if-none-match": etag });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), "");
    assert.equal(again.headers.get("etag"), etag);
  });
});

Deno.test("GET /static/ compresses text as the browser accepts it", async () => {
  await withFolder(async (get) => {
    const read = async (accepted: string) => {
      const answer = await get("/static/style.css", {
        "accept-encoding": accepted,
      });
      assert.equal(answer.headers.get("vary"), "Accept-Encoding");
      const body = new Uint8Array(await answer.arrayBuffer());
      return { encoding: answer.headers.get("content-encoding"), body };
    };
    const brotli = await read("gzip, deflate, br");
    assert.equal(brotli.encoding, "br");
    assert.equal(brotliDecompressSync(brotli.body).toString(), STYLE);
    const gzip = await read("gzip");
    assert.equal(gzip.encoding, "gzip");
    assert.equal(gunzipSync(gzip.body).toString(), STYLE);
    assert.equal((await read("br;q=0, identity")).encoding, null);
  });
});

Deno.test("an answer tells the length of the form it has, to HEAD as to GET, and is whole whatever range is asked for", async () => {
  await withFolder(async (get) => {
    for (const accepted of ["br", "gzip", "identity"]) {
      const headers = { "accept-encoding": accepted, range: "bytes=0-9" };
      const answer = await get("/static/style.css", headers);
      assert.equal(answer.status, 200);
      const { byteLength } = await answer.arrayBuffer();
      assert.equal(Number(answer.headers.get("content-length")), byteLength);
      const head = await get("/static/style.css", headers, "HEAD");
      assert.equal(await head.text(), "");
      assert.deepEqual([...head.headers], [...answer.headers]);
    }
  });
});

Deno.test("a 304 says for whom and how long it holds, and no more", async () => {
  await withFolder(async (get) => {
    for (
      const path of ["/static/style.css", "/static/build/chat-A1B2C3D4.js"]
    ) {
      const accepted = { "accept-encoding": "br" };
      const answer = await get(path, accepted);
      await answer.body?.cancel();
      const etag = answer.headers.get("etag") ?? "";
      assert.match(etag, /^W\/"/);
      const known = { ...accepted, "if-none-match": `"other", ${etag}` };
      const again = await get(path, known);
      assert.equal(again.status, 304);
      assert.deepEqual([...again.headers], [
        ["cache-control", answer.headers.get("cache-control")],
        ["etag", etag],
        ["vary", "Accept-Encoding"],
      ]);
    }
  });
});

Deno.test("GET /static/ notices a changed file", async () => {
  await withFolder(async (get, folder) => {
    const before = await get("/static/style.css");
    await before.body?.cancel();
    await Deno.writeTextFile(`${folder}/static/style.css`, "changed");
    const answer = await get("/static/style.css");
    assert.equal(await answer.text(), "changed");
    assert.notEqual(answer.headers.get("etag"), before.headers.get("etag"));
  });
});

Deno.test("GET /static/build/ lets hashed names be kept for good, and only those", async () => {
  await withFolder(async (get) => {
    const hashed = await get("/static/build/chat-A1B2C3D4.js");
    assert.match(
      hashed.headers.get("cache-control") ?? "",
      /max-age=31536000, immutable/,
    );
    await hashed.body?.cancel();
    const manifest = await get("/static/build/manifest.json");
    assert.equal(manifest.headers.get("cache-control"), "no-cache");
    await manifest.body?.cancel();
  });
});

Deno.test("GET of /sw.js and /manifest.webmanifest answers the files of static/", async () => {
  await withFolder(async (get) => {
    const worker = await get("/sw.js");
    assert.equal(worker.headers.get("cache-control"), "no-cache");
    assert.equal(await worker.text(), "/* worker */");
    const manifest = await get("/manifest.webmanifest");
    assert.match(
      manifest.headers.get("content-type") ?? "",
      /^application\/manifest\+json/,
    );
    await manifest.body?.cancel();
    const icon = await get("/favicon.ico");
    assert.equal(icon.status, 404);
    await icon.body?.cancel();
  });
});

Deno.test("GET /static/ never leaves its folder and shows no dotfile", async (t) => {
  await withFolder(async (get, folder) => {
    await Deno.symlink(`${folder}/secret.txt`, `${folder}/static/link.txt`);
    for (
      const path of [
        "/static/",
        "/static/build",
        "/static/.env",
        "/static/../secret.txt",
        "/static/..%2fsecret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/..%252fsecret.txt",
        "/static/..\\secret.txt",
        "/static/..%5csecret.txt",
        "/static/build/../../secret.txt",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        `/static/${folder}/secret.txt`,
        "/static/style.css%00.txt",
        "/static/style.css\0",
        "/static/style.css/",
        "/static/style.css/x",
        "/static/link.txt",
        "/static/c:/secret.txt",
      ]
    ) {
      await t.step(path, async () => {
        const answer = await get(path);
        const body = await answer.text();
        assert.equal(answer.status, 404);
        assert.ok(!body.includes("secret.txt") && body !== "secret");
      });
    }
  });
});
