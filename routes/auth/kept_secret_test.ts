import assert from "node:assert/strict";
import { keptSecret } from "./kept_secret.ts";

Deno.test("keptSecret() makes a secret once, and again when what was kept is empty", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const secret = await keptSecret(`${folder}/new`);
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.equal(await keptSecret(`${folder}/new`), secret);
    await Deno.truncate(`${folder}/new/jwt_secret`);
    assert.match(await keptSecret(`${folder}/new`), /^[0-9a-f]{64}$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
