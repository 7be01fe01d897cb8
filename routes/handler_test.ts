import assert from "node:assert/strict";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./deps.ts";
import { createHandler } from "./handler.ts";

const INFO = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
} as const;

function createApp(failure?: unknown) {
  const app = new OpenAPIHono<AppEnv>();
  app.use(async (_, next) => {
    await next();
    if (failure !== undefined) throw failure;
  });
  return app;
}

Deno.test("an upgraded request is answered by its upgrade, whatever fails after it", async () => {
  const upgraded = new Response();
  for (const failure of [undefined, new Error("late"), "no error at all"]) {
    const app = createApp(failure);
    app.get("/ws", (c) => c.env.upgraded = upgraded);
    const request = new Request("http://localhost/ws");
    assert.equal(await createHandler(app)(request, INFO), upgraded);
  }
});

Deno.test("HEAD has GET's headers and no length, unless GET has one", async () => {
  const app = createApp();
  app.get("/unknown", (c) => c.json({ some: "body" }));
  app.get("/known", (c) => c.body("x", 200, { "content-length": "1" }));
  const served = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    createHandler(app),
  );
  try {
    const head = async (path: string) => {
      const url = `http://127.0.0.1:${served.addr.port}${path}`;
      const answer = await fetch(url, { method: "HEAD" });
      assert.equal(await answer.text(), "");
      return answer.headers;
    };
    const unknown = await head("/unknown");
    assert.equal(unknown.get("content-length"), null);
    assert.equal(unknown.get("content-type"), "application/json");
    assert.equal((await head("/known")).get("content-length"), "1");
  } finally {
    await served.shutdown();
  }
});
