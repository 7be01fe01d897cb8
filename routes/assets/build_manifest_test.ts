import assert from "node:assert/strict";
import { ConfigError } from "../../config.ts";
import { readManifest } from "./build_manifest.ts";

Deno.test("readManifest() says what to run when the browser code is missing or half written", async () => {
  const folder = await Deno.makeTempDir();
  const staticDir = new URL(`file://${folder}/`);
  const assertRefused = () =>
    assert.rejects(readManifest(staticDir), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /^static\/build: .* deno task build$/);
      return true;
    });
  try {
    await assertRefused();
    await Deno.mkdir(`${folder}/build`);
    await Deno.writeTextFile(`${folder}/build/manifest.json`, '{"chat');
    await assertRefused();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
