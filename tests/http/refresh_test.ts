/** The refresh token: traded, repeated, reused, invented. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import {
  refresh,
  refreshCookieOf,
  signInBrowser,
  statusOfMe,
} from "../helpers/browser_session.ts";
import { connect } from "../helpers/client.ts";
import { engineUnderTest, makeMigratedPlace } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import { expectJson, type Person } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const SECRET = "a secret of at least thirty-two characters";
const DAY_MS = 86_400_000;

/** Stands still, so that ten seconds are ten seconds on a busy machine too. */
const START = Date.now();
let skew = 0;
const clock = () => START + skew;
const lines: string[] = [];
const app = useTestApp({ JWT_SECRET: SECRET, LOG_LEVEL: "warn" }, {
  start: {
    clock,
    writeLog: (line) => void lines.push(line),
  },
});
Deno.test.beforeEach(() => void (skew = 0));

Deno.test("refresh gives new tokens of the same session, and the session lives on", async () => {
  const { token, refreshCookie, user } = await signInBrowser(app, "ivan");
  skew = 8 * DAY_MS;
  assert.equal(
    await statusOfMe(app, token),
    401,
    "the premise: the token is over",
  );
  const answer = await refresh(app, refreshCookie);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const next = refreshCookieOf(answer);
  assert.notEqual(next, refreshCookie);
  const body = await expectJson<
    { accessToken: string; user: Person["user"] }
  >(answer, 200);
  assert.deepEqual(body.user, user);
  const headers = { authorization: `Bearer ${body.accessToken}` };
  const listed = await fetch(`${app.origin}/api/auth/sessions`, { headers });
  const list = await expectJson<{ isCurrent: boolean }[]>(listed, 200);
  assert.equal(list.length, 1);
  assert.equal(list[0]!.isCurrent, true);
  skew += 29 * DAY_MS;
  await expectJson(await refresh(app, next), 200);
});

Deno.test("a session that is not refreshed for thirty days is over", async () => {
  const { refreshCookie } = await signInBrowser(app, "ivana");
  skew = 30 * DAY_MS + 1_000;
  await expectProblem(await refresh(app, refreshCookie), "unauthorized");
});

Deno.test("a refresh token that comes again ten seconds later ends its session, the newest tokens and sockets included", async () => {
  const { refreshCookie } = await signInBrowser(app, "judy");
  const first = await refresh(app, refreshCookie);
  const next = refreshCookieOf(first);
  const { accessToken: token } = await expectJson<{ accessToken: string }>(
    first,
    200,
  );
  await using socket = await connect(app, { token });
  skew = 10_500;
  const again = await refresh(app, refreshCookie);
  assert.equal(refreshCookieOf(again), "chatket_refresh=", "cookies go");
  await expectProblem(again, "unauthorized");
  assert.equal((await socket.closed).code, 4401);
  assert.equal(await statusOfMe(app, token), 401);
  await expectProblem(await refresh(app, next), "unauthorized");
  assert.ok(lines.some((line) => line.includes("refresh token came back")));
  const secret = refreshCookie.split(".")[1]!;
  assert.ok(!lines.join().includes(secret), "no log line holds a token");
});

Deno.test("ten refreshes with one token at once, and one that repeats it within ten seconds, get the same refresh token", async () => {
  const { refreshCookie } = await signInBrowser(app, "ken");
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => refresh(app, refreshCookie)),
  );
  skew = 9_000;
  answers.push(await refresh(app, refreshCookie));
  const cookies = new Set(answers.map(refreshCookieOf));
  assert.equal(cookies.size, 1);
  const [next] = cookies;
  assert.notEqual(next, refreshCookie);
  for (const answer of answers) {
    const { accessToken } = await expectJson<{ accessToken: string }>(
      answer,
      200,
    );
    assert.equal(await statusOfMe(app, accessToken), 200);
  }
  await expectJson(await refresh(app, next!), 200);
});

Deno.test("a repeat does not make the ten seconds longer", async () => {
  const { refreshCookie } = await signInBrowser(app, "kate");
  for (skew of [0, 5_000, 9_000]) {
    await expectJson(await refresh(app, refreshCookie), 200);
  }
  skew = 12_000;
  await expectProblem(await refresh(app, refreshCookie), "unauthorized");
});

Deno.test("a token whose successor is in use ends its session, also within ten seconds", async () => {
  const { refreshCookie } = await signInBrowser(app, "kim");
  const next = refreshCookieOf(await refresh(app, refreshCookie));
  await expectJson(await refresh(app, next), 200);
  await expectProblem(await refresh(app, refreshCookie), "unauthorized");
});

Deno.test("a refresh whose answer was lost in a restart is repeated with the same outcome", async () => {
  await using place = await makeMigratedPlace();
  const start = () =>
    startTestApp({ JWT_SECRET: SECRET }, { place, start: { clock } });
  let cookie: string;
  let successor: string;
  {
    await using before = await start();
    ({ refreshCookie: cookie } = await signInBrowser(before, "lara"));
    const answer = await refresh(before, cookie);
    await expectJson(answer, 200);
    successor = refreshCookieOf(answer);
  }
  await using after = await start();
  const repeated = await refresh(after, cookie);
  await expectJson(repeated, 200);
  assert.equal(refreshCookieOf(repeated), successor);
});

Deno.test("an invented refresh token is 401 and ends nobody's session", async () => {
  const { token, refreshCookie } = await signInBrowser(app, "leo");
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
      await refresh(app, `chatket_refresh=${value}`),
      "unauthorized",
    );
  }
  await expectProblem(await refresh(app, "other=1"), "unauthorized");
  assert.equal(await statusOfMe(app, token), 200);
  await expectJson(await refresh(app, refreshCookie), 200);
});

Deno.test("a foreign page cannot refresh, and the token stays good", async () => {
  const { refreshCookie } = await signInBrowser(app, "mia");
  for (
    const headers of [
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
    ]
  ) {
    await expectProblem(
      await refresh(app, refreshCookie, headers),
      "cross_origin",
    );
  }
  const own = { origin: app.origin, "sec-fetch-site": "same-origin" };
  await expectJson(await refresh(app, refreshCookie, own), 200);
});

Deno.test("the refresh token is no access token, and the access token no refresh token", async () => {
  const { token, refreshCookie } = await signInBrowser(app, "nina");
  assert.equal(await statusOfMe(app, refreshCookie.split("=")[1]!), 401);
  await expectProblem(
    await refresh(app, `chatket_refresh=${token}`),
    "unauthorized",
  );
});

Deno.test("the database holds no refresh token", async () => {
  if (engineUnderTest() === "pglite") return;
  const { refreshCookie } = await signInBrowser(app, "olga");
  const db = await openDatabase(app.place, silentLog);
  const { rows } = await sql<{ row: string }>`
    select row_to_json(sessions)::text as row from sessions`.execute(db);
  await db.destroy();
  const text = rows.map(({ row }) => row).join("\n");
  for (const part of refreshCookie.split("=")[1]!.split(".").slice(1)) {
    assert.ok(!text.includes(part));
  }
});
