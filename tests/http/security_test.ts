/** What holds on every path: headers, and other sites' pages. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { expectJson, type Room, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { rawRequest } from "./raw_request.ts";

const app = useTestApp();

const JSON_TYPE = { "content-type": "application/json" };

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
