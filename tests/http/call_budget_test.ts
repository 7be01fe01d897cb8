/** How many calls of the API, and pages, one user may ask for. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { type Person, postJson, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

let later = 0;

const app = useTestApp(
  { REST_LIMIT_PER_MINUTE: "5" },
  { start: { clock: () => Date.now() + later } },
);

const MINUTE_MS = 60_000;

async function status(person: Person, path: string, method = "GET") {
  const init = { method, redirect: "manual" } as const;
  const answer = await person.fetch(path, init);
  await answer.body?.cancel();
  return answer.status;
}

/** Calls until there is no more, whatever was left. */
async function useUp(person: Person): Promise<void> {
  while (await status(person, "/api/auth/me") === 200);
}

Deno.test("a user has so many calls and pages a minute, over all sessions, then 429 until it is over", async () => {
  const alice = await signIn(app, "alice");
  const again = await signIn(app, "alice");
  const bob = await signIn(app, "bob");
  for (const path of ["/api/auth/me", "/api/rooms", "/discover", "/"]) {
    assert.equal(await status(alice, path), 200, path);
  }
  assert.equal(await status(again, "/api/auth/sessions"), 200);
  for (const person of [alice, again]) {
    const refused = await person.fetch("/api/rooms");
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait > 50 && wait <= 60, `${wait} seconds`);
    await expectProblem(refused, "too_many_requests");
    for (const path of ["/", "/rooms/x", "/api/account/export"]) {
      assert.equal(await status(person, path), 429, path);
    }
    assert.equal(await status(person, "/rooms", "POST"), 429);
  }
  assert.equal(await status(bob, "/api/rooms"), 200);
  later += MINUTE_MS;
  assert.equal(await status(alice, "/api/rooms"), 200);
});

Deno.test("a page that is refused is a page", async () => {
  const person = await signIn(app, "reader");
  await useUp(person);
  const headers = { accept: "text/html" };
  const page = await person.fetch("/", { headers });
  assert.equal(page.status, 429);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.ok(page.headers.has("retry-after"));
  await page.body?.cancel();
});

Deno.test("what ends a session, health and what needs no session are free", async () => {
  const alice = await signIn(app, "alice_out");
  await useUp(alice);
  for (
    const path of ["/health", "/api/health", "/ready", "/login", "/docs/"]
  ) {
    assert.notEqual(await status(alice, path), 429, path);
  }
  const other = await signIn(app, "alice_out");
  const third = await signIn(app, "alice_out");
  const { sid } = JSON.parse(atob(other.token.split(".")[1]!));
  const end = `/api/auth/sessions/${sid}`;
  assert.equal(await status(alice, end, "DELETE"), 204);
  assert.equal(await status(alice, "/api/auth/logout", "POST"), 204);
  assert.equal(
    await status(third, "/api/auth/logout-everywhere", "POST"),
    204,
  );
});

Deno.test("a session that has ended does not use up its user's calls", async () => {
  const alice = await signIn(app, "alice_ended");
  const stolen = await signIn(app, "alice_ended");
  assert.equal(await status(stolen, "/api/auth/logout", "POST"), 204);
  for (let n = 0; n < 10; n++) {
    assert.equal(await status(stolen, "/api/auth/me"), 401);
  }
  assert.equal(await status(alice, "/api/auth/me"), 200);
});

Deno.test("calls without a session, and signing in, are counted under nobody", async () => {
  for (let n = 0; n < 10; n++) {
    const answer = await fetch(`${app.origin}/api/rooms`);
    await expectProblem(answer, "unauthorized");
  }
  const username = "nobody_yet";
  const asked = await postJson(app, "/api/auth/request-code", { username });
  assert.equal(asked.status, 200);
  await asked.body?.cancel();
});

Deno.test("a body that never ends holds up no other call of its user", async () => {
  const person = await signIn(app, "on_a_train");
  using connection = await Deno.connect({ port: app.port });
  await connection.write(
    new TextEncoder().encode([
      "POST /api/rooms HTTP/1.1",
      "host: localhost",
      `authorization: Bearer ${person.token}`,
      "content-type: application/json",
      "content-length: 100",
      "",
      '{"name": "half of',
    ].join("\r\n")),
  );
  for (;;) {
    const signal = AbortSignal.timeout(10_000);
    const answer = await person.fetch("/api/auth/me", { signal });
    await answer.body?.cancel();
    if (answer.status === 429) return;
    assert.equal(answer.status, 200);
  }
});
