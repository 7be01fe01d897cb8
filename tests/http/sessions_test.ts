/** Sessions over HTTP and what their end means for tokens, sockets and streams. */

import assert from "node:assert/strict";
import { sql } from "kysely";
import { openDatabase } from "../../db/database.ts";
import { engineUnderTest } from "../helpers/database.ts";
import { createSessionKeys, signSession } from "../../routes/tokens.ts";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { silentLog } from "../helpers/log.ts";
import {
  expectJson,
  type Person,
  postJson,
  signIn,
} from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const SECRET = "a secret of at least thirty-two characters";
const DAY_MS = 86_400_000;

let skew = 0;
const lines: string[] = [];
const app = useTestApp({ JWT_SECRET: SECRET, LOG_LEVEL: "warn" }, {
  start: {
    clock: () => Date.now() + skew,
    writeLog: (line) => void lines.push(line),
  },
});
Deno.test.beforeEach(() => void (skew = 0));

interface SessionView {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  userAgent: string;
  isCurrent: boolean;
}

/** Signs in and keeps the refresh cookie, as a browser does. */
async function signInBrowser(username: string, userAgent = "Test/1") {
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const answer = await fetch(`${app.origin}/api/auth/verify-code`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": userAgent },
    body: JSON.stringify({ username, code }),
  });
  const { accessToken, user } = await expectJson<
    { accessToken: string; user: Person["user"] }
  >(answer, 200);
  return { user, token: accessToken, refreshCookie: refreshCookieOf(answer) };
}

function refreshCookieOf(answer: Response): string {
  const cookie = answer.headers.getSetCookie()
    .find((each) => each.startsWith("chatket_refresh="));
  return cookie?.split(";")[0] ?? "";
}

function refresh(
  cookie: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${app.origin}/api/auth/refresh`, {
    method: "POST",
    headers: { cookie, ...headers },
  });
}

async function statusOfMe(token: string): Promise<number> {
  const answer = await fetch(`${app.origin}/api/auth/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.status;
}

Deno.test("logout ends the token at once and closes the session's sockets and streams with 4401, no others", async () => {
  const alice = await signIn(app, "alice");
  const elsewhere = await signIn(app, "alice");
  await using socket = await connect(app, alice);
  await using other = await connect(app, elsewhere);
  const streamed = await alice.fetch("/api/events");
  const answer = await alice.fetch("/api/auth/logout", { method: "POST" });
  assert.equal(answer.status, 204);
  assert.deepEqual(await socket.closed, { code: 4401, reason: "signed out" });
  assert.match(
    await streamed.text(),
    /data: {"event":"close","data":{"code":4401,/,
  );
  await expectProblem(await alice.fetch("/api/auth/me"), "unauthorized");
  await assert.rejects(connect(app, alice), /refused/);
  assert.equal(
    (await other.expect("presence:ping", {})).success,
    true,
    "the other session goes on",
  );
  await expectJson(await elsewhere.fetch("/api/auth/me"), 200);
});

Deno.test("logging out by the page's form ends the token, too", async () => {
  const alice = await signIn(app, "alicia");
  const answer = await fetch(`${app.origin}/logout`, {
    method: "POST",
    headers: { cookie: alice.cookie },
    redirect: "manual",
  });
  assert.equal(answer.status, 303);
  await expectProblem(await alice.fetch("/api/auth/me"), "unauthorized");
});

Deno.test("a well signed token without a session is accepted, until its user logs out everywhere", async () => {
  const { user } = await signIn(app, "bob");
  const keys = await createSessionKeys(SECRET);
  const options = { now: Date.now(), expiresInSeconds: 600 };
  const token = await signSession(keys, user, options);
  assert.equal(await statusOfMe(token), 200);
  const foreign = await fetch(`${app.origin}/api/auth/logout`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(foreign.status, 204);
  assert.equal(await statusOfMe(token), 200, "it has no session to end");
  await using socket = await connect(app, { token });
  const everywhere = await fetch(`${app.origin}/api/auth/logout-everywhere`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(everywhere.status, 204);
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(token), 401);
  const later = { ...options, now: Date.now() + 2_000 };
  skew = 3_000;
  assert.equal(await statusOfMe(await signSession(keys, user, later)), 200);
});

Deno.test("a token that names another user's session, or none there is, is 401", async () => {
  const [carol, dave] = [await signIn(app, "carol"), await signIn(app, "dave")];
  const keys = await createSessionKeys(SECRET);
  const [session] = await carol.getJson<SessionView[]>("/api/auth/sessions");
  const now = { now: Date.now(), expiresInSeconds: 600 };
  for (const sessionId of [session!.id, crypto.randomUUID()]) {
    const token = await signSession(keys, dave.user, { ...now, sessionId });
    assert.equal(await statusOfMe(token), 401);
  }
});

Deno.test("logout-everywhere ends all sessions of the user and nobody else's", async () => {
  const first = await signInBrowser("erin");
  const second = await signIn(app, "erin");
  const frank = await signIn(app, "frank");
  await using socket = await connect(app, first);
  await using franks = await connect(app, frank);
  const answer = await second.fetch("/api/auth/logout-everywhere", {
    method: "POST",
  });
  assert.equal(answer.status, 204);
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(first.token), 401);
  assert.equal(await statusOfMe(second.token), 401);
  await expectProblem(await refresh(first.refreshCookie), "unauthorized");
  assert.ok((await franks.expect("presence:ping", {})).success);
  assert.equal(await statusOfMe((await signIn(app, "erin")).token), 200);
});

Deno.test("a user sees their sessions and ends one; another's is not found", async () => {
  const first = await signInBrowser("grace", `Old Browser\t${"x".repeat(300)}`);
  skew = 1_000;
  const grace = await signIn(app, "grace");
  const list = await grace.getJson<SessionView[]>("/api/auth/sessions");
  assert.equal(list.length, 2);
  assert.deepEqual(list.map(({ isCurrent }) => isCurrent), [true, false]);
  assert.match(list[1]!.userAgent, /^Old Browser/);
  assert.equal(list[1]!.userAgent.length, 200);
  assert.equal(
    Date.parse(list[1]!.expiresAt) - Date.parse(list[1]!.createdAt),
    30 * DAY_MS,
  );
  assert.ok(!JSON.stringify(list).includes("hash"));

  const heidi = await signIn(app, "heidi");
  const path = `/api/auth/sessions/${list[1]!.id}`;
  const end = (person: Person, path: string) =>
    person.fetch(path, { method: "DELETE" });
  await expectProblem(await end(heidi, path), "session_not_found");
  await expectProblem(
    await end(grace, "/api/auth/sessions/7"),
    "session_not_found",
  );
  await using socket = await connect(app, first);
  assert.equal((await end(grace, path)).status, 204);
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(first.token), 401);
  assert.equal(await statusOfMe(grace.token), 200);
  await expectProblem(await end(grace, path), "session_not_found");
  assert.equal(
    (await grace.getJson<unknown[]>("/api/auth/sessions")).length,
    1,
  );
});

Deno.test("the list of sessions and their end are for the signed in", async () => {
  const at = (method: string, path: string) =>
    fetch(`${app.origin}/api/auth/${path}`, { method });
  await expectProblem(await at("GET", "sessions"), "unauthorized");
  await expectProblem(
    await at("DELETE", `sessions/${crypto.randomUUID()}`),
    "unauthorized",
  );
  await expectProblem(await at("POST", "logout-everywhere"), "unauthorized");
});

Deno.test("refresh gives new tokens of the same session, and the session lives on", async () => {
  const { token, refreshCookie, user } = await signInBrowser("ivan");
  skew = 8 * DAY_MS;
  assert.equal(await statusOfMe(token), 401, "the premise: the token is over");
  const answer = await refresh(refreshCookie);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const next = refreshCookieOf(answer);
  assert.notEqual(next, refreshCookie);
  const body = await expectJson<
    { accessToken: string; user: Person["user"] }
  >(answer, 200);
  assert.deepEqual(body.user, user);
  const headers = { authorization: `Bearer ${body.accessToken}` };
  const listed = await fetch(`${app.origin}/api/auth/sessions`, { headers });
  const list = await expectJson<SessionView[]>(listed, 200);
  assert.equal(list.length, 1);
  assert.equal(list[0]!.isCurrent, true);
  skew += 29 * DAY_MS;
  await expectJson(await refresh(next), 200);
});

Deno.test("a session that is not refreshed for thirty days is over", async () => {
  const { refreshCookie } = await signInBrowser("ivana");
  skew = 30 * DAY_MS + 1_000;
  await expectProblem(await refresh(refreshCookie), "unauthorized");
});

Deno.test("a refresh token that comes a second time ends its session, the newest tokens and sockets included", async () => {
  const { refreshCookie } = await signInBrowser("judy");
  const first = await refresh(refreshCookie);
  const next = refreshCookieOf(first);
  const { accessToken: token } = await expectJson<{ accessToken: string }>(
    first,
    200,
  );
  await using socket = await connect(app, { token });
  const again = await refresh(refreshCookie);
  assert.equal(refreshCookieOf(again), "chatket_refresh=", "cookies go");
  await expectProblem(again, "unauthorized");
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(token), 401);
  await expectProblem(await refresh(next), "unauthorized");
  assert.ok(lines.some((line) => line.includes("refresh token came back")));
  const secret = refreshCookie.split(".")[1]!;
  assert.ok(!lines.join().includes(secret), "no log line holds a token");
});

Deno.test("of ten refreshes with one token at once, one at most succeeds", async () => {
  const { refreshCookie } = await signInBrowser("ken");
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => refresh(refreshCookie)),
  );
  for (const answer of answers) await answer.body?.cancel();
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  assert.ok(answers.every(({ status }) => status === 200 || status === 401));
});

Deno.test("an invented refresh token is 401 and ends nobody's session", async () => {
  const { token, refreshCookie } = await signInBrowser("leo");
  const [session, random, mark] = refreshCookie.split("=")[1]!.split(".");
  const flipped = mark!.replace(/^./, (first) => first === "A" ? "B" : "A");
  for (
    const value of [
      "",
      "nonsense",
      session!,
      `${session}.${random}`,
      `${session}.${random}.${flipped}`,
      `${session}.${"A".repeat(43)}.${mark}`,
      `${crypto.randomUUID()}.${random}.${mark}`,
      `${session}.${random}.${mark}.${mark}`,
    ]
  ) {
    await expectProblem(
      await refresh(`chatket_refresh=${value}`),
      "unauthorized",
    );
  }
  await expectProblem(await refresh("other=1"), "unauthorized");
  assert.equal(await statusOfMe(token), 200);
  await expectJson(await refresh(refreshCookie), 200);
});

Deno.test("a foreign page cannot refresh, and the token stays good", async () => {
  const { refreshCookie } = await signInBrowser("mia");
  for (
    const headers of [
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
    ]
  ) {
    await expectProblem(await refresh(refreshCookie, headers), "cross_origin");
  }
  const own = { origin: app.origin, "sec-fetch-site": "same-origin" };
  await expectJson(await refresh(refreshCookie, own), 200);
});

Deno.test("the refresh token is no access token, and the access token no refresh token", async () => {
  const { token, refreshCookie } = await signInBrowser("nina");
  assert.equal(await statusOfMe(refreshCookie.split("=")[1]!), 401);
  await expectProblem(
    await refresh(`chatket_refresh=${token}`),
    "unauthorized",
  );
});

Deno.test("the database holds no refresh token", async () => {
  if (engineUnderTest() === "pglite") return;
  const { refreshCookie } = await signInBrowser("olga");
  const db = await openDatabase(app.place, silentLog);
  const { rows } = await sql<{ row: string }>`
    select row_to_json(sessions)::text as row from sessions`.execute(db);
  await db.destroy();
  const text = rows.map(({ row }) => row).join("\n");
  for (const part of refreshCookie.split("=")[1]!.split(".").slice(1)) {
    assert.ok(!text.includes(part));
  }
});

Deno.test("a session that another process ends closes its sockets within seconds", async () => {
  if (engineUnderTest() === "pglite") return;
  const pat = await signIn(app, "pat");
  await using socket = await connect(app, pat);
  const db = await openDatabase(app.place, silentLog);
  await db.updateTable("sessions").set({ revoked_at: new Date() })
    .where("user_id", "=", pat.user.id).execute();
  await db.destroy();
  await expectProblem(await pat.fetch("/api/auth/me"), "unauthorized");
  assert.equal((await socket.closed).code, 4401);
});

Deno.test("the last use of a session is noted, coarsely", async () => {
  const quinn = await signIn(app, "quinn");
  const lastUsed = async () =>
    Date.parse(
      (await quinn.getJson<SessionView[]>("/api/auth/sessions"))[0]!.lastUsedAt,
    );
  const first = await lastUsed();
  skew = 60_000;
  assert.equal(await lastUsed(), first);
  skew = 360_000;
  assert.ok(await lastUsed() >= first + 360_000);
});

Deno.test("a user keeps a hundred sessions; one more ends the one used longest ago", async () => {
  const first = await signIn(app, "rita");
  for (let i = 0; i < 100; i++) {
    skew += 1_000;
    // New codes of one name are limited by the quarter of an hour.
    if (i % 25 === 24) skew += 900_000;
    await signIn(app, "rita");
  }
  const last = await signIn(app, "rita");
  assert.equal(await statusOfMe(first.token), 401);
  assert.equal(
    (await last.getJson<unknown[]>("/api/auth/sessions")).length,
    100,
  );
});
