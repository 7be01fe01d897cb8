/** Sessions over HTTP and what their end means for tokens, sockets and streams. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { signSession } from "../../routes/auth/access_tokens.ts";
import { createSessionKeys } from "../../routes/auth/session_keys.ts";
import { useTestApp } from "../helpers/app.ts";
import {
  refresh,
  signInBrowser,
  statusOfMe,
} from "../helpers/browser_session.ts";
import { connect } from "../helpers/client.ts";
import { engineUnderTest } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import { expectJson, type Person, signIn } from "../helpers/people.ts";
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
  const late = await connect(app, alice);
  assert.equal((await late.closed).code, 4401);
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
  assert.equal(await statusOfMe(app, token), 200);
  const foreign = await fetch(`${app.origin}/api/auth/logout`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(foreign.status, 204);
  assert.equal(await statusOfMe(app, token), 200, "it has no session to end");
  await using socket = await connect(app, { token });
  const everywhere = await fetch(`${app.origin}/api/auth/logout-everywhere`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(everywhere.status, 204);
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(app, token), 401);
  const later = { ...options, now: Date.now() + 2_000 };
  skew = 3_000;
  assert.equal(
    await statusOfMe(app, await signSession(keys, user, later)),
    200,
  );
});

Deno.test("a token that names another user's session, or none there is, is 401", async () => {
  const [carol, dave] = [await signIn(app, "carol"), await signIn(app, "dave")];
  const keys = await createSessionKeys(SECRET);
  const [session] = await carol.getJson<SessionView[]>("/api/auth/sessions");
  const now = { now: Date.now(), expiresInSeconds: 600 };
  for (const sessionId of [session!.id, crypto.randomUUID()]) {
    const token = await signSession(keys, dave.user, { ...now, sessionId });
    assert.equal(await statusOfMe(app, token), 401);
  }
});

Deno.test("logout-everywhere ends all sessions of the user and nobody else's", async () => {
  const first = await signInBrowser(app, "erin");
  const second = await signIn(app, "erin");
  const frank = await signIn(app, "frank");
  await using socket = await connect(app, first);
  await using franks = await connect(app, frank);
  const answer = await second.fetch("/api/auth/logout-everywhere", {
    method: "POST",
  });
  assert.equal(answer.status, 204);
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(app, first.token), 401);
  assert.equal(await statusOfMe(app, second.token), 401);
  await expectProblem(await refresh(app, first.refreshCookie), "unauthorized");
  assert.ok((await franks.expect("presence:ping", {})).success);
  assert.equal(await statusOfMe(app, (await signIn(app, "erin")).token), 200);
});

Deno.test("a user sees their sessions and ends one; another's is not found", async () => {
  const first = await signInBrowser(
    app,
    "grace",
    `Old Browser\t${"x".repeat(300)}`,
  );
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
  assert.equal(await statusOfMe(app, first.token), 401);
  assert.equal(await statusOfMe(app, grace.token), 200);
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
  assert.equal(await statusOfMe(app, first.token), 401);
  assert.equal(
    (await last.getJson<unknown[]>("/api/auth/sessions")).length,
    100,
  );
});
