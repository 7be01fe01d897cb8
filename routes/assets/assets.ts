/** The files of `static/`, and those of them that browsers look for at the root. */

import { type Context, Hono } from "hono";
import type { AppDeps, AppEnv } from "../deps.ts";
import { problem } from "../problems.ts";
import { answerFile, FileStore } from "./file_store.ts";

/** The browser asks each time; with the ETag that costs a 304. */
const REVALIDATE = "no-cache";

/** A year, in seconds, and never again: the name changes with the content. */
const FOREVER = "public, max-age=31536000, immutable";

/** A built file with its content's hash in its name. */
const HASHED_NAME = /^build\/(?:.*\/)?[\w.-]+-[A-Z0-9]{8}\.[\w.]+$/i;

/** Files at fixed addresses, and where they may lie below `static/`. */
const AT_ROOT: Readonly<Record<string, readonly string[]>> = {
  "/favicon.ico": ["favicon.ico", "icons/icon.svg"],
  "/manifest.webmanifest": ["manifest.webmanifest"],
  // At the root, because a service worker rules only what lies below its own address.
  "/sw.js": ["sw.js", "build/sw.js"],
};

/** Mounted at the root. */
export function assetRoutes(
  { staticDir }: Pick<AppDeps, "staticDir">,
): Hono<AppEnv> {
  const store = new FileStore(staticDir);
  const app = new Hono<AppEnv>();

  const answerFirst = async (c: Context, paths: readonly string[]) => {
    for (const path of paths) {
      const file = await store.read(path);
      if (file !== undefined) {
        return answerFile(
          c,
          file,
          HASHED_NAME.test(path) ? FOREVER : REVALIDATE,
        );
      }
    }
    return problem(c, "not_found");
  };

  app.get(
    "/static/*",
    (c) => answerFirst(c, [c.req.path.slice("/static/".length)]),
  );
  for (const [address, paths] of Object.entries(AT_ROOT)) {
    app.get(address, (c) => answerFirst(c, paths));
  }
  return app;
}
