import { Hono } from "hono";
import assert from "node:assert/strict";
import type { AppEnv } from "../deps.ts";
import { problem } from "../problems.ts";
import { allowedMethods } from "./allowed_methods.ts";

const rooms = new Hono<AppEnv>();
rooms.get("/", (c) => c.text("rooms"));
rooms.post("/", (c) => c.text("made"));
rooms.post("/", (c) => c.text("never reached"));
rooms.post("/:id/join", (c) => c.text("joined"));

const app = new Hono<AppEnv>();
app.use(allowedMethods(app));
app.use("/*", (_, next) => next());
app.route("/api/rooms", rooms);
app.get("/static/*", (c) => problem(c, "not_found"));
app.get("/manifest.webmanifest", (c) => c.text("{}"));
app.post("/rooms/:id/:action{join|leave}", (c) => c.text("done"));
app.notFound((c) => problem(c, "not_found"));

async function ask(method: string, path: string) {
  const answer = await app.request(path, { method });
  const text = await answer.text();
  const type = answer.headers.get("content-type");
  return {
    status: answer.status,
    allow: answer.headers.get("allow"),
    code: type === "application/problem+json" ? JSON.parse(text).code : type,
  };
}

Deno.test("an unknown method is 405 with the path's methods once each, HEAD beside GET and OPTIONS always", async () => {
  const cases: [path: string, allow: string][] = [
    ["/api/rooms", "GET, HEAD, OPTIONS, POST"],
    ["/api/rooms/7/join", "OPTIONS, POST"],
    ["/rooms/7/leave", "OPTIONS, POST"],
    ["/static/a/b.css", "GET, HEAD, OPTIONS"],
  ];
  for (const [path, allow] of cases) {
    for (const method of ["DELETE", "BREW"]) {
      const code = "method_not_allowed";
      assert.deepEqual(await ask(method, path), { status: 405, allow, code });
    }
    assert.deepEqual(await ask("OPTIONS", path), {
      ...{ status: 204, allow, code: null },
    });
  }
});

Deno.test("a path that only middleware matches is 404 with every method", async () => {
  for (
    const path of [
      "/nope",
      "/api/rooms/",
      "/api/rooms/7/8/join",
      "/api/rooms//join",
      "/manifestXwebmanifest",
      "/rooms/7/dance",
    ]
  ) {
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const code = "not_found";
      const allow = null;
      assert.deepEqual(await ask(method, path), { status: 404, allow, code });
    }
  }
});

Deno.test("what a known method answers stays as it is", async () => {
  assert.equal((await ask("POST", "/api/rooms")).status, 200);
  const missing = { status: 404, allow: null, code: "not_found" };
  assert.deepEqual(await ask("GET", "/static/a/b.css"), missing);
});
