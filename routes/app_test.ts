import assert from "node:assert/strict";
import { loadConfig } from "../config.ts";
import { silentLog } from "../tests/helpers/log.ts";
import { createApp } from "./app.ts";
import type { AppDeps } from "./deps.ts";

/** Asked by machines and by browsers, who need no document. */
const UNDOCUMENTED = /^\/(metrics|static|docs|[\w-]+\.[a-z]+$)/;

/** The pages and what their forms send. */
const PAGES = /^\/($|login|logout|preferences|discover|rooms\b)/;

Deno.test("the OpenAPI document has every call that the app answers, and no other", async () => {
  const app = createApp({
    config: loadConfig({}),
    log: silentLog,
    clock: () => 0,
    steadyClock: () => 0,
    staticDir: new URL("file:///nowhere/"),
    manifest: { entries: {} },
  } as unknown as AppDeps);
  const answered = app.routes
    .filter(({ method, path }) =>
      method !== "ALL" && !UNDOCUMENTED.test(path) && !PAGES.test(path)
    )
    .map(({ method, path }) =>
      `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`
    );
  const answer = await app.request("/docs/openapi.json");
  const { paths } = await answer.json();
  const documented = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
  );
  assert.deepEqual(documented.sort(), [...new Set(answered)].sort());
  assert.ok(documented.length > 20, documented.join());
});
