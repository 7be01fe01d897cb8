/** Bodies, methods and paths that are not as they should be. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, expectJson, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { rawRequest } from "./raw_request.ts";

const app = useTestApp();

const JSON_TYPE = { "content-type": "application/json" };
const LIMIT = 64 * 1024;

Deno.test("a body that is not JSON by type is 415 and stores nothing", async () => {
  const alice = await signIn(app, "alice");
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonx",
      "application/octet-stream",
    ]
  ) {
    const answer = await alice.fetch("/api/rooms", {
      method: "POST",
      headers: { "content-type": type },
      body: '{"name":"Untyped"}',
    });
    await expectProblem(answer, "unsupported_media_type");
  }
  const { id } = await createRoom(alice);
  for (const path of [`/api/rooms/${id}/join`, "/api/auth/logout"]) {
    const answer = await alice.fetch(path, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "where no body is wanted",
    });
    await expectProblem(answer, "unsupported_media_type");
  }
  const untyped = await alice.fetch("/api/rooms", {
    method: "POST",
    body: new TextEncoder().encode('{"name":"Untyped"}'),
  });
  await expectProblem(untyped, "unsupported_media_type");
  assert.deepEqual(
    await alice.getJson("/api/rooms?all=true&q=untyped"),
    [],
  );
  const charset = await alice.fetch("/api/rooms", {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8" },
    body: '{"name":"With charset"}',
  });
  await expectJson(charset, 201);
});

Deno.test("malformed JSON is 400, however it is broken", async (t) => {
  const alice = await signIn(app, "alice");
  const bodies: Record<string, string> = {
    empty: "",
    cut: '{"name":',
    "no object": "[]",
    "a string": '"General"',
    null: "null",
    "nested 30,000 deep": "[".repeat(30_000),
    "nested 8,000 deep inside": `{"name":${"[".repeat(8_000)}${
      "]".repeat(8_000)
    }}`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    await t.step(name, async () => {
      const answer = await alice.fetch("/api/rooms", {
        method: "POST",
        headers: JSON_TYPE,
        body,
      });
      const { detail } = await expectProblem(answer, "validation_failed");
      assert.ok(!/position|token|at /i.test(detail), detail);
    });
  }
});

Deno.test("a body above 64 KiB is 413 with a length and in chunks, and stores nothing", async () => {
  const alice = await signIn(app, "alice");
  const body = JSON.stringify({ name: "Large", filler: "x".repeat(LIMIT) });
  const announced = await alice.fetch("/api/rooms", {
    method: "POST",
    headers: JSON_TYPE,
    body,
  });
  await expectProblem(announced, "body_too_large");
  const chunked = await alice.fetch("/api/rooms", {
    method: "POST",
    headers: JSON_TYPE,
    body: new Blob([body]).stream(),
  });
  await expectProblem(chunked, "body_too_large");
  assert.deepEqual(await alice.getJson("/api/rooms?all=true&q=large"), []);
});

Deno.test("a body of exactly 64 KiB is read", async () => {
  const alice = await signIn(app, "alice");
  const frame = JSON.stringify({ name: "Fitting", filler: "" });
  const body = frame.replace(
    '"filler":""',
    `"filler":"${"x".repeat(LIMIT - frame.length)}"`,
  );
  assert.equal(body.length, LIMIT);
  for (const [index, sent] of [body, new Blob([body]).stream()].entries()) {
    const answer = await alice.fetch("/api/rooms", {
      method: "POST",
      headers: JSON_TYPE,
      body: sent,
    });
    // The second finds the name taken: it was read as far.
    assert.equal(answer.status, [201, 409][index]);
    await answer.body?.cancel();
  }
});

Deno.test("HEAD answers as GET does, without the body", async () => {
  const alice = await signIn(app, "alice");
  for (const path of ["/health", "/api/rooms", "/docs/"]) {
    const answer = await alice.fetch(path, { method: "HEAD" });
    assert.equal(answer.status, 200, path);
    assert.equal(await answer.text(), "");
  }
  const file = await fetch(`${app.origin}/docs/docs.css`);
  const size = (await file.arrayBuffer()).byteLength;
  const head = await fetch(`${app.origin}/docs/docs.css`, {
    method: "HEAD",
    headers: { "accept-encoding": "identity" },
  });
  assert.equal(Number(head.headers.get("content-length")), size);
});

Deno.test("a method that a path does not know is 405 with Allow, TRACE and invented ones too", async (t) => {
  const alice = await signIn(app, "alice");
  const { id } = await createRoom(alice);
  const cases: [string, string, string][] = [
    ["DELETE", "/health", "GET, HEAD, OPTIONS"],
    ["PUT", "/api/auth/verify-code", "OPTIONS, POST"],
    ["GET", "/api/auth/request-code", "OPTIONS, POST"],
    ["DELETE", "/api/rooms", "GET, HEAD, OPTIONS, POST"],
    ["PATCH", `/api/rooms/${id}`, "GET, HEAD, OPTIONS"],
    ["GET", `/api/rooms/${id}/join`, "OPTIONS, POST"],
    ["PUT", `/api/rooms/${id}/messages`, "GET, HEAD, OPTIONS, POST"],
    ["TRACE", "/health", "GET, HEAD, OPTIONS"],
    ["BREW", "/health", "GET, HEAD, OPTIONS"],
  ];
  for (const [method, path, allow] of cases) {
    await t.step(`${method} ${path.replace(id, ":id")}`, async () => {
      const answer = await rawRequest(app, [
        `${method} ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${app.port}`,
        `Authorization: Bearer ${alice.token}`,
      ]);
      assert.equal(answer.status, 405, answer.body);
      assert.equal(answer.headers.get("allow"), allow);
      assert.equal(JSON.parse(answer.body).code, "method_not_allowed");
      assert.ok(!answer.body.includes(alice.token), "TRACE must not echo");
    });
  }
});

Deno.test("OPTIONS tells a path's methods", async () => {
  const answer = await fetch(`${app.origin}/api/auth/logout`, {
    method: "OPTIONS",
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get("allow"), "OPTIONS, POST");
});

Deno.test("an unknown path is 404 not_found", async () => {
  for (
    const path of ["/nope", "/api/nope", "/api", "/static/nope.js", "/health/"]
  ) {
    await expectProblem(await fetch(app.origin + path), "not_found");
  }
});

Deno.test("odd paths and hosts are answered without a 500", async (t) => {
  for (
    const lines of [
      ["GET /%00 HTTP/1.1", "Host: x"],
      ["GET /%ff%fe HTTP/1.1", "Host: x"],
      ["GET /%E0%A4%A HTTP/1.1", "Host: x"],
      ["GET //evil.test/x HTTP/1.1", "Host: x"],
      ["GET http://evil.test/x HTTP/1.1", "Host: x"],
      ["GET /static/../../etc/passwd HTTP/1.1", "Host: x"],
      ["GET /a/../docs/../x HTTP/1.1", "Host: x"],
      ["OPTIONS * HTTP/1.1", "Host: x"],
      ["GET /x HTTP/1.1", "Host: a b"],
      ["GET /x HTTP/1.1", "Host: x:99999"],
      ["GET /x HTTP/1.0"],
      [`GET /${"x".repeat(8_000)} HTTP/1.1`, "Host: x"],
    ]
  ) {
    await t.step(`${lines[0]?.slice(0, 60)} ${lines[1] ?? ""}`, async () => {
      const { status } = await rawRequest(app, lines);
      assert.ok(status >= 400 && status < 500, `status ${status}`);
    });
  }
});
