import assert from "node:assert/strict";
import { Hono } from "hono";
import { problem } from "../problems.ts";
import { problemPage } from "./problem_page.tsx";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

const app = new Hono();
app.use(problemPage({ entries: { styles: { file: "styles-A1B2C3D4.css" } } }));
app.get("/fine", (c) => c.json({ fine: true }));
app.get("/nowhere", (c) => problem(c, "not_found"));
app.all("*", (c) =>
  problem(c, "too_many_requests", {
    detail: "<script>alert(1)</script>",
    retryAfterMs: 1_500,
  }));

Deno.test("problemPage() shows a browser a page of the same status and headers, without markup of the detail", async () => {
  const answer = await app.request("/rooms/x", { headers: BROWSER });
  const html = await answer.text();
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(answer.headers.get("retry-after"), "2");
  assert.ok(html.includes("<h1>Too many requests</h1>"));
  assert.ok(html.includes("/static/build/styles-A1B2C3D4.css"));
  assert.ok(!html.includes("<script"));
});

Deno.test("problemPage() leaves the API, programs and good answers alone", async () => {
  const cases: [string, Record<string, string>][] = [
    ["/api/rooms", BROWSER],
    ["/rooms/x", { accept: "*/*" }],
    ["/rooms/x", {}],
  ];
  for (const [path, headers] of cases) {
    const answer = await app.request(path, { headers });
    assert.equal(
      answer.headers.get("content-type"),
      "application/problem+json",
    );
    assert.equal((await answer.json()).code, "too_many_requests");
  }
  const fine = await app.request("/fine", { headers: BROWSER });
  assert.deepEqual(await fine.json(), { fine: true });
});

Deno.test("problemPage() keeps to the reader's language and theme", async () => {
  const cookie = "chatket_lang=tr; chatket_theme=dark";
  const headers = { ...BROWSER, cookie };
  const html = await (await app.request("/nowhere", { headers })).text();
  assert.match(html, /<html lang="tr" data-theme="dark">/);
  assert.match(html, /<h1>Burada bir şey yok.<\/h1>/);
  assert.ok(!html.includes("There is nothing here"));
});
