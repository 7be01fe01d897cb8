/** What holds on every path: headers, other sites' pages, methods, bodies, failures. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  expectJson,
  type Room,
  signIn,
} from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { rawRequest } from "./raw_request.ts";

const app = useTestApp();

const JSON_TYPE = { "content-type": "application/json" };
const LIMIT = 64 * 1024;

Deno.test("every answer carries the security headers", async (t) => {
  const alice = await signIn(app, "alice");
  for (
    const [path, init] of [
      ["/health"],
      ["/nope"],
      ["/api/rooms"],
      ["/docs/"],
      ["/docs/docs.css"],
      ["/static/nope.css"],
      ["/health", { method: "DELETE" }],
      ["/api/rooms", { method: "POST", headers: JSON_TYPE, body: "{" }],
    ] as [string, RequestInit?][]
  ) {
    await t.step(`${init?.method ?? "GET"} ${path}`, async () => {
      const { headers, body } = await alice.fetch(path, init);
      await body?.cancel();
      const policy = headers.get("content-security-policy") ?? "";
      for (
        const directive of [
          "default-src 'none'",
          "script-src 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
          "form-action 'self'",
          `connect-src 'self' ws://127.0.0.1:${app.port}`,
        ]
      ) {
        assert.ok(policy.split("; ").includes(directive), directive);
      }
      assert.ok(!policy.includes("unsafe") && !policy.includes("*"));
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("referrer-policy"), "same-origin");
      assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
      assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
      assert.ok(headers.has("permissions-policy"));
      assert.equal(headers.get("access-control-allow-origin"), null);
      assert.equal(headers.get("x-powered-by"), null);
    });
  }
});

Deno.test("API answers are not to be stored", async () => {
  const alice = await signIn(app, "alice");
  for (const path of ["/api/rooms", "/api/auth/me", "/api/nope", "/health"]) {
    const { headers, body } = await alice.fetch(path);
    await body?.cancel();
    assert.equal(headers.get("cache-control"), "no-store", path);
  }
});

Deno.test("a Host that could not be one does not get into the policy", async () => {
  const answer = await rawRequest(app, [
    "GET /health HTTP/1.1",
    "Host: a;script-src *",
  ]);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.ok(policy.includes("connect-src 'self';"), policy);
  assert.ok(!policy.includes("*"));
});

Deno.test("an unsafe request with the cookie from another site's page is 403 and stores nothing", async (t) => {
  const alice = await signIn(app, "alice");
  const create = (headers: Record<string, string>, name: string) =>
    fetch(`${app.origin}/api/rooms`, {
      method: "POST",
      headers: { cookie: alice.cookie, ...JSON_TYPE, ...headers },
      body: JSON.stringify({ name }),
    });
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.test" },
    { origin: "null" },
    { origin: `${app.origin}.evil.test` },
    { origin: app.origin.replace("http:", "https:") },
    { "sec-fetch-site": "cross-site" },
    { origin: app.origin, "sec-fetch-site": "cross-site" },
  ];
  for (const headers of foreign) {
    await t.step(JSON.stringify(headers), async () => {
      await expectProblem(await create(headers, "Forged"), "cross_origin");
    });
  }
  const rooms = await alice.getJson<Room[]>("/api/rooms?all=true&q=forged");
  assert.deepEqual(rooms, []);
  // The premise: the same request from the own page, or from no browser, is served.
  for (
    const [index, headers] of [
      { origin: app.origin },
      { origin: app.origin, "sec-fetch-site": "same-origin" },
      {},
    ].entries()
  ) {
    await expectJson(await create(headers, `Honest ${index}`), 201);
  }
});

Deno.test("a bearer token is not refused for its Origin, nor a safe method for anything", async () => {
  const alice = await signIn(app, "alice");
  const evil = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
  const created = await alice.fetch("/api/rooms", {
    method: "POST",
    headers: evil,
    json: { name: "By bearer" },
  });
  await expectJson(created, 201);
  const read = await fetch(`${app.origin}/api/rooms`, {
    headers: { cookie: alice.cookie, ...evil },
  });
  await expectJson(read, 200);
});

Deno.test("a form of another site's page is refused even without a cookie", async () => {
  for (
    const type of [
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/plain",
    ]
  ) {
    const answer = await fetch(`${app.origin}/api/auth/verify-code`, {
      method: "POST",
      headers: { "content-type": type, origin: "https://evil.test" },
      body: '{"username":"mallory","code":"123456"}',
    });
    await expectProblem(answer, "cross_origin");
  }
});

Deno.test("a page's own form passes, the same form on another site does not", async () => {
  const alice = await signIn(app, "alice");
  const post = (origin: string) =>
    fetch(`${app.origin}/rooms`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: alice.cookie, origin },
      body: new URLSearchParams({
        name: `Form ${crypto.randomUUID()}`.slice(0, 30),
      }),
    });
  await expectProblem(await post("https://evil.test"), "cross_origin");
  assert.deepEqual(await alice.getJson("/api/rooms?all=true&q=form "), []);
  const own = await post(app.origin);
  await own.body?.cancel();
  assert.equal(own.status, 303);
  assert.equal(
    (await alice.getJson<Room[]>("/api/rooms?all=true&q=form ")).length,
    1,
  );
});

Deno.test("a CORS preflight gets no permission", async () => {
  const answer = await fetch(`${app.origin}/api/rooms`, {
    method: "OPTIONS",
    headers: {
      origin: "https://evil.test",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
  await answer.body?.cancel();
  for (const name of answer.headers.keys()) {
    assert.ok(!name.startsWith("access-control-"), name);
  }
});

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
    ["POST", `/api/rooms/${id}/messages`, "GET, HEAD, OPTIONS"],
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

Deno.test("a forged X-Forwarded-For is not believed without trusted proxies", async () => {
  await using limited = await startTestApp({ AUTH_RATE_LIMIT: "on" });
  let status = 0;
  for (let i = 0; i <= 300; i++) {
    const answer = await fetch(`${limited.origin}/api/auth/refresh`, {
      method: "POST",
      headers: { "x-forwarded-for": `198.51.100.${i % 250}` },
    });
    await answer.body?.cancel();
    status = answer.status;
  }
  assert.equal(status, 429);
});
