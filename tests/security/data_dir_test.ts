/** Who may look into the folder of local files: its owner alone, whatever the folder's own mode is. */

import assert from "node:assert/strict";
import { startTestApp } from "../helpers/app.ts";
import { makePlace } from "../helpers/database.ts";

Deno.test({
  name: "nothing in DATA_DIR that holds or gives data is open to other users",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using place = await makePlace();
    await Deno.chmod(place.dataDir, 0o755);
    // As an earlier version has left it.
    await Deno.mkdir(`${place.dataDir}/postgres`, { mode: 0o755 });
    await using _app = await startTestApp({ JWT_SECRET: undefined }, { place });
    const open: string[] = [];
    const closed: string[] = [];
    for await (const { name } of Deno.readDir(place.dataDir)) {
      const { mode } = await Deno.lstat(`${place.dataDir}/${name}`);
      (mode! & 0o077 ? open : closed).push(name);
    }
    const isEmbedded = place.engine === "pglite";
    // The lock is an empty file.
    assert.deepEqual(
      open.filter((name) => isEmbedded || name !== "postgres"),
      isEmbedded ? ["lock"] : [],
    );
    assert.ok(closed.length > 0, "the signing key, at least");
  },
});
