import assert from "node:assert/strict";
import { createMethodTable } from "./allowed_methods.ts";

const methodsOf = createMethodTable([
  { method: "ALL", path: "/*" },
  { method: "GET", path: "/api/rooms" },
  { method: "POST", path: "/api/rooms" },
  { method: "POST", path: "/api/rooms" },
  { method: "POST", path: "/api/rooms/:id/join" },
  { method: "GET", path: "/static/*" },
  { method: "GET", path: "/manifest.webmanifest" },
  { method: "POST", path: "/rooms/:id/:action{join|leave}" },
]);

Deno.test("the method table lists a path's methods once, with HEAD beside GET and OPTIONS always", () => {
  assert.deepEqual(methodsOf("/api/rooms"), ["GET", "HEAD", "OPTIONS", "POST"]);
  assert.deepEqual(methodsOf("/api/rooms/7/join"), ["OPTIONS", "POST"]);
  assert.deepEqual(methodsOf("/rooms/7/leave"), ["OPTIONS", "POST"]);
  assert.deepEqual(methodsOf("/static/a/b.css"), ["GET", "HEAD", "OPTIONS"]);
});

Deno.test("the method table knows nothing of paths that only middleware matches", () => {
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
    assert.deepEqual(methodsOf(path), [], path);
  }
});
