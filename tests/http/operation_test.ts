/** Health, documentation and static files of the running app. */

import assert from "node:assert/strict";
import { PROBLEMS } from "../../routes/problems.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { expectJson, signIn } from "../helpers/people.ts";

const app = useTestApp();

async function get(path: string): Promise<string> {
  const answer = await fetch(app.origin + path);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

Deno.test("health and readiness answer 200 while the app serves", async () => {
  for (const path of ["/health", "/api/health", "/ready"]) {
    assert.deepEqual(await expectJson(await fetch(app.origin + path), 200), {
      status: "ok",
    });
  }
});

Deno.test("the log tells a request's method, path and status, not its query", async () => {
  const lines: string[] = [];
  await using logged = await startTestApp({ LOG_LEVEL: "info" }, {
    start: { writeLog: (line) => lines.push(line) },
  });
  const alice = await signIn(logged, "alice");
  const answer = await alice.fetch("/api/rooms?q=secret-word");
  await answer.body?.cancel();
  const line = lines.find((each) => each.includes("path=/api/rooms"));
  assert.match(line ?? "", /request method=GET path=\/api\/rooms status=200/);
  assert.ok(!lines.some((each) => each.includes("secret-word")));
});

Deno.test("the OpenAPI document is of version 3.1, and what it points at is there", async () => {
  const document = JSON.parse(await get("/docs/openapi.json"));
  assert.equal(document.openapi, "3.1.0");
  const schemes = Object.keys(document.components.securitySchemes);
  assert.deepEqual(schemes, ["bearer", "cookie", "refreshCookie"]);
  const references = JSON.stringify(document).matchAll(
    /"#\/components\/schemas\/(\w+)"/g,
  );
  for (const [, name] of references) {
    assert.ok(document.components.schemas[name!], `${name}`);
  }
});

Deno.test("the AsyncAPI document names every event and points at what it holds", async () => {
  const text = await get("/docs/asyncapi.json");
  const document = JSON.parse(text);
  assert.equal(document.asyncapi, "3.0.0");
  for (
    const event of ["rooms:sync", "message:send", "message:new", "room:roster"]
  ) {
    assert.ok(text.includes(`"const":"${event}"`), event);
  }
  for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let target = document;
    for (const step of reference!.split("/")) target = target?.[step];
    assert.ok(target, `${reference}`);
  }
});

Deno.test("the documentation's pages ask nothing of another host and hold no inline script or style", async () => {
  for (const path of ["/docs/", "/docs/events", "/docs/problems"]) {
    const html = await get(path);
    for (const [, url] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert.match(url!, /^\/[^/]/, `${path}: ${url}`);
      if (!url!.endsWith("/")) await get(url!);
    }
    assert.ok(!/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+="/i.test(html));
  }
});

Deno.test("/docs leads to /docs/", async () => {
  const answer = await fetch(`${app.origin}/docs`, { redirect: "manual" });
  await answer.body?.cancel();
  assert.equal(answer.status, 301);
  assert.equal(answer.headers.get("location"), "/docs/");
});

Deno.test("every problem's type leads to its explanation", async () => {
  const html = await get("/docs/problems");
  for (const code of Object.keys(PROBLEMS)) {
    assert.ok(html.includes(`id="${code}"`), code);
  }
});
