/** What must never stand in the log, whatever its level. */

import assert from "node:assert/strict";
import { startTestApp } from "../helpers/app.ts";
import { expectJson, postJson } from "../helpers/people.ts";

const SECRETS = {
  JWT_SECRET: "a signing key of the log's test, thirty-two characters",
  METRICS_TOKEN: "metrics-token-of-the-log-test",
  SMTP_URL: "smtp://postman:password-of-the-log-test@127.0.0.1:9",
};

Deno.test("no secret, token, code or cookie is logged, at any level", async () => {
  const lines: string[] = [];
  await using app = await startTestApp(
    { ...SECRETS, MAIL_FROM: "chat@example.org", LOG_LEVEL: "debug" },
    { start: { writeLog: (line) => void lines.push(line) } },
  );
  const username = "alice";
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const verified = await postJson(app, "/api/auth/verify-code", {
    username,
    code,
  });
  const cookies = secretCookies(verified);
  await verified.body?.cancel();
  assert.equal(cookies.length, 2);
  const metrics = await fetch(`${app.origin}/metrics`, {
    headers: { authorization: `Bearer ${SECRETS.METRICS_TOKEN}` },
  });
  assert.equal(metrics.status, 200);
  await metrics.body?.cancel();
  // Used again once its successor was used, the refresh token ends its session: worth a warning.
  const refresh = async (cookies: string[], status: number) => {
    const answer = await fetch(`${app.origin}/api/auth/refresh`, {
      method: "POST",
      headers: { cookie: cookies.join("; ") },
    });
    await answer.body?.cancel();
    assert.equal(answer.status, status);
    return secretCookies(answer);
  };
  const second = await refresh(cookies, 200);
  const third = await refresh(second, 200);
  await refresh(cookies, 401);
  const log = lines.join("\n");
  assert.match(log, /a used refresh token came back/);
  const secrets = [
    ...Object.values(SECRETS),
    "password-of-the-log-test",
    ...[...cookies, ...second, ...third].map((cookie) => cookie.split("=")[1]!),
    ...app.config.databaseUrl === undefined ? [] : [app.config.databaseUrl],
  ];
  for (const secret of secrets) assert.ok(!log.includes(secret), secret);
  assert.ok(!new RegExp(`\\b${code}\\b`).test(log), "the code");
});

/** The cookies that an answer sets and that no script may read, as `name=value`. */
function secretCookies(answer: Response): string[] {
  return answer.headers.getSetCookie()
    .filter((cookie) =>
      cookie.includes("HttpOnly") && !cookie.includes("Max-Age=0")
    )
    .map((cookie) => cookie.split(";")[0]!);
}
