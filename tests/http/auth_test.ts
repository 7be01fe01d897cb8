/** Signing in over HTTP: codes, tokens, the cookie, and what is refused. */

import assert from "node:assert/strict";
import { signSession } from "../../routes/auth/access_tokens.ts";
import { createSessionKeys } from "../../routes/auth/session_keys.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { expectJson, postJson, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const TEN_MINUTES = 600_000;

let skew = 0;
const app = useTestApp({}, { start: { clock: () => Date.now() + skew } });
Deno.test.beforeEach(() => void (skew = 0));

async function requestCode(username: string): Promise<string> {
  const answer = await postJson(app, "/api/auth/request-code", { username });
  return (await expectJson<{ code: string }>(answer, 200)).code;
}

function verify(username: unknown, code: unknown): Promise<Response> {
  return postJson(app, "/api/auth/verify-code", { username, code });
}

/** A code that differs from the given one. */
function wrong(code: string): string {
  return code.replace(/./, (digit) => String((Number(digit) + 1) % 10));
}

Deno.test("request-code answers a message and, in development, the code", async () => {
  const answer = await postJson(app, "/api/auth/request-code", {
    username: "Alice",
  });
  const body = await expectJson<{ message: string; code: string }>(answer, 200);
  assert.equal(body.message, "Code generated successfully");
  assert.match(body.code, /^\d{6}$/);
  assert.deepEqual(Object.keys(body).sort(), ["code", "message"]);
});

Deno.test("verify-code answers a token, the user in lower case, and the cookie", async () => {
  const code = await requestCode("Bob_1");
  const answer = await verify("BOB_1", code);
  const [cookie, ...others] = answer.headers.getSetCookie();
  const body = await expectJson<
    { accessToken: string; user: { id: string; username: string } }
  >(answer, 200);
  assert.equal(body.user.username, "bob_1");
  assert.match(body.user.id, /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/);
  assert.equal(
    cookie,
    `chatket_session=${body.accessToken}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax`,
  );
  const month = "Max-Age=2592000";
  assert.match(
    others[0] ?? "",
    new RegExp(
      `^chatket_refresh=[\\w.-]{124}; ${month}; Path=/; HttpOnly; SameSite=Strict$`,
    ),
  );
  assert.equal(
    others[1],
    `chatket_returning=1; ${month}; Path=/; SameSite=Lax`,
  );
});

Deno.test("the same name in any case is the same user", async () => {
  const first = await signIn(app, "carol");
  const second = await signIn(app, "CAROL");
  assert.equal(second.user.id, first.user.id);
});

Deno.test("me answers the user by bearer token and by cookie", async () => {
  const { token, cookie, user } = await signIn(app, "dave");
  for (
    const headers of [
      { authorization: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { cookie },
    ]
  ) {
    const answer = await fetch(`${app.origin}/api/auth/me`, { headers });
    assert.deepEqual(await expectJson(answer, 200), { user });
  }
});

Deno.test("a bad bearer token is 401 even beside a good cookie", async () => {
  const { cookie } = await signIn(app, "erin");
  for (const authorization of ["Bearer nonsense", "Bearer", "Bearer "]) {
    const answer = await fetch(`${app.origin}/api/auth/me`, {
      headers: { authorization, cookie },
    });
    assert.equal(answer.headers.get("www-authenticate"), "Bearer");
    await expectProblem(answer, "unauthorized");
  }
});

Deno.test("a token in the URL is not looked at", async () => {
  const { token } = await signIn(app, "frank");
  for (const name of ["token", "access_token", "accessToken"]) {
    const answer = await fetch(`${app.origin}/api/auth/me?${name}=${token}`);
    await expectProblem(answer, "unauthorized");
  }
});

Deno.test("a token ends with its time", async () => {
  const { fetch } = await signIn(app, "grace");
  skew = 7 * 24 * 3_600_000 - 60_000;
  await expectJson(await fetch("/api/auth/me"), 200);
  skew += 61_000;
  await expectProblem(await fetch("/api/auth/me"), "unauthorized");
});

Deno.test("a token of a user that does not exist is 401, however well signed", async () => {
  const JWT_SECRET = "known to this test and to nobody else";
  await using known = await startTestApp({ JWT_SECRET });
  const keys = await createSessionKeys(JWT_SECRET);
  const sign = (user: { id: string; username: string }) =>
    signSession(keys, user, { now: Date.now(), expiresInSeconds: 60 });
  const me = (token: string) =>
    fetch(`${known.origin}/api/auth/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const { user } = await signIn(known, "alice");
  // The premise: such a token of a user that exists is good.
  await expectJson(await me(await sign(user)), 200);
  const ghost = { id: crypto.randomUUID(), username: "alice" };
  await expectProblem(await me(await sign(ghost)), "unauthorized");
});

Deno.test("logout clears the cookies", async () => {
  const answer = await fetch(`${app.origin}/api/auth/logout`, {
    method: "POST",
  });
  assert.equal(answer.status, 204);
  assert.equal(await answer.text(), "");
  assert.deepEqual(answer.headers.getSetCookie(), [
    "chatket_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    "chatket_refresh=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
    "chatket_returning=; Max-Age=0; Path=/; SameSite=Lax",
  ]);
});

Deno.test("a code works once", async () => {
  const code = await requestCode("heidi");
  await expectJson(await verify("heidi", code), 200);
  await expectProblem(await verify("heidi", code), "invalid_code");
});

Deno.test("of ten tries with the right code at once, one signs in", async () => {
  const code = await requestCode("ivan");
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => verify("ivan", code)),
  );
  const statuses = answers.map(({ status }) => status);
  for (const answer of answers) await answer.body?.cancel();
  assert.equal(statuses.filter((status) => status === 200).length, 1);
  assert.equal(statuses.filter((status) => status === 401).length, 9);
});

Deno.test("a code dies after ten minutes", async () => {
  const code = await requestCode("judy");
  skew = TEN_MINUTES + 1_000;
  await expectProblem(await verify("judy", code), "invalid_code");
  skew = 0;
  const fresh = await requestCode("judy");
  skew = TEN_MINUTES - 60_000;
  await expectJson(await verify("judy", fresh), 200);
});

Deno.test("a new code voids the one before", async () => {
  const first = await requestCode("mallory");
  let second = await requestCode("mallory");
  while (second === first) second = await requestCode("mallory");
  await expectProblem(await verify("mallory", first), "invalid_code");
  await expectJson(await verify("mallory", second), 200);
});

Deno.test("a code dies after five wrong tries", async () => {
  const code = await requestCode("niaj");
  for (let i = 0; i < 5; i++) {
    await expectProblem(await verify("niaj", wrong(code)), "invalid_code");
  }
  await expectProblem(await verify("niaj", code), "invalid_code");
});

Deno.test("a code is its user's own", async () => {
  const olivia = await requestCode("olivia");
  let peggy = await requestCode("peggy");
  while (peggy === olivia) peggy = await requestCode("peggy");
  await expectProblem(await verify("olivia", peggy), "invalid_code");
});

Deno.test("a wrong code and a name nobody has get the same answer", async () => {
  const code = await requestCode("rupert");
  const wrongCode = await verify("rupert", wrong(code));
  const noUser = await verify("nobody_at_all", "123456");
  const seen = async (answer: Response) => ({
    status: answer.status,
    headers: [...answer.headers].filter(([name]) =>
      name !== "date" && name !== "x-request-id"
    ),
    body: await answer.text(),
  });
  assert.deepEqual(await seen(noUser), await seen(wrongCode));
});

Deno.test("malformed names and codes are 400 and use up nothing", async () => {
  const code = await requestCode("sybil");
  for (
    const bad of [` ${code}`, `${code}0`, "１２３４５６", [code], Number(code)]
  ) {
    for (let i = 0; i < 2; i++) {
      const { errors } = await expectProblem(
        await verify("sybil", bad),
        "validation_failed",
      );
      assert.equal(errors?.[0]?.path, "code");
    }
  }
  for (const bad of ["ab", "a b", "x".repeat(21), "аdmin", null, {}, 7]) {
    const answer = await postJson(app, "/api/auth/request-code", {
      username: bad,
    });
    const { errors } = await expectProblem(answer, "validation_failed");
    assert.equal(errors?.[0]?.path, "username");
  }
  await expectJson(await verify("sybil", code), 200);
});

Deno.test("unknown fields are ignored, also dangerous ones", async () => {
  const answer = await fetch(`${app.origin}/api/auth/request-code`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body:
      '{"username":"trent","role":"admin","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
  });
  await expectJson(answer, 200);
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

Deno.test("request-code of one name is limited", async () => {
  for (let i = 0; i < 30; i++) await requestCode("victor");
  const answer = await postJson(app, "/api/auth/request-code", {
    username: "VICTOR",
  });
  const wait = Number(answer.headers.get("retry-after"));
  assert.ok(wait > 800 && wait <= 900, `Retry-After: ${wait}`);
  await expectProblem(answer, "too_many_requests");
  skew = 15 * 60_000 + 1_000;
  await requestCode("victor");
});

Deno.test("one address may try 300 times in five minutes; signing out is not refused", async () => {
  await using limited = await startTestApp({ AUTH_RATE_LIMIT: "on" });
  const [first, second] = [
    await signIn(limited, "xena"),
    await signIn(limited, "xena"),
  ];
  for (let i = 0; i < 296; i++) {
    const answer = await postJson(limited, "/api/auth/verify-code", {});
    await answer.body?.cancel();
    assert.equal(answer.status, 400);
  }
  const answer = await postJson(limited, "/api/auth/request-code", {
    username: "anyone",
  });
  assert.ok(Number(answer.headers.get("retry-after")) > 250);
  await expectProblem(answer, "too_many_requests");
  for (
    const [person, path] of [
      [first, "/api/auth/logout"],
      [second, "/api/auth/logout-everywhere"],
    ] as const
  ) {
    const out = await person.fetch(path, { method: "POST" });
    assert.equal(out.status, 204, path);
  }
});

Deno.test("with CODE_DELIVERY=console the code is in the log and not in the answer", async () => {
  const lines: string[] = [];
  await using quiet = await startTestApp(
    { CODE_DELIVERY: "console", LOG_LEVEL: "info" },
    { start: { writeLog: (line) => lines.push(line) } },
  );
  const answer = await postJson(quiet, "/api/auth/request-code", {
    username: "yara",
  });
  const body = await expectJson<Record<string, string>>(answer, 200);
  assert.deepEqual(Object.keys(body), ["message"]);
  const code = /\b\d{6}\b/.exec(
    lines.find((line) => line.includes("login code")) ?? "",
  )?.[0];
  await expectJson(
    await postJson(quiet, "/api/auth/verify-code", { username: "yara", code }),
    200,
  );
});

Deno.test("with CODE_DELIVERY=response no log line holds the code or the token", async () => {
  const lines: string[] = [];
  await using noisy = await startTestApp({ LOG_LEVEL: "debug" }, {
    start: { writeLog: (line) => lines.push(line) },
  });
  const asked = await postJson(noisy, "/api/auth/request-code", {
    username: "zoe",
  });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const verified = await postJson(noisy, "/api/auth/verify-code", {
    username: "zoe",
    code,
  });
  const { accessToken } = await expectJson<{ accessToken: string }>(
    verified,
    200,
  );
  const answer = await fetch(`${noisy.origin}/api/rooms?token=${accessToken}`);
  await answer.body?.cancel();
  const log = lines.join("\n");
  assert.ok(log.includes("/api/auth/verify-code"), "requests are logged");
  assert.ok(
    !log.includes(accessToken) && !new RegExp(`\\b${code}\\b`).test(log),
  );
});

Deno.test("the cookie is Secure when PUBLIC_ORIGIN is https", async () => {
  await using secure = await startTestApp({
    PUBLIC_ORIGIN: "https://chat.example.org",
  });
  const { code } = await expectJson<{ code: string }>(
    await postJson(secure, "/api/auth/request-code", { username: "amy" }),
    200,
  );
  const answer = await postJson(secure, "/api/auth/verify-code", {
    username: "amy",
    code,
  });
  assert.match(answer.headers.get("set-cookie") ?? "", /; Secure(;|$)/);
  assert.match(
    answer.headers.get("strict-transport-security") ?? "",
    /max-age=63072000/,
  );
  await answer.body?.cancel();
});
