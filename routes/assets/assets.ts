/** The files of `static/`, and those of them that browsers look for at the root. */

import { Hono } from "hono";
import type { AppDeps, AppEnv } from "../deps.ts";
import { staticFiles } from "./static_files.ts";

/** Files at addresses of their own, and where they lie below `static/`. */
const AT_ROOT: Readonly<Record<string, string>> = {
  "/favicon.ico": "favicon.ico",
  "/manifest.webmanifest": "manifest.webmanifest",
  // At the root, because a service worker rules only what lies below its own address.
  "/sw.js": "build/sw.js",
};

/** Mounted at the root. */
export function assetRoutes(
  { staticDir }: Pick<AppDeps, "staticDir">,
): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get(
    "/static/*",
    ...staticFiles(staticDir, (path) => path.slice("/static/".length)),
  );
  app.get(
    "/docs/:name{[\\w-]+\\.(?:css|js)}",
    ...staticFiles(staticDir, (path) => `build${path}`),
  );
  for (const [address, file] of Object.entries(AT_ROOT)) {
    app.get(address, ...staticFiles(staticDir, () => file));
  }
  return app;
}
