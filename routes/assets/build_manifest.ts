/** What the build has made for the browser. */

import { ConfigError } from "../../config.ts";
import type { BuildManifest } from "../deps.ts";

/**
 * Reads the names of the bundles.
 *
 * @param staticDir the folder of what the browser gets, with a slash at its end
 * @throws {ConfigError} when there are none yet, or not whole
 */
export async function readManifest(staticDir: URL): Promise<BuildManifest> {
  try {
    return JSON.parse(
      await Deno.readTextFile(new URL("build/manifest.json", staticDir)),
    );
  } catch (error) {
    const isUnfinished = error instanceof Deno.errors.NotFound ||
      error instanceof SyntaxError;
    if (!isUnfinished) throw error;
    throw new ConfigError(
      "static/build: the browser code has not been built; run: deno task build",
    );
  }
}
