/** Checklist: codes, sessions, tokens. */

import { SignJWT, UnsecuredJWT } from "jose";
import assert from "node:assert/strict";
import { loadConfig } from "../../config.ts";
import { createLoginCode } from "../../routes/auth/login_codes.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { expectJson, postJson, signIn } from "../helpers/people.ts";
import { expectProblem } from "../http/expect_problem.ts";
import { securityCase } from "./case.ts";

const JWT_SECRET = "a secret of at least thirty-two characters";

let skew = 0;
const app = useTestApp({ JWT_SECRET, TRUSTED_PROXY_HOPS: "1" }, {
  start: { clock: () => Date.now() + skew },
});
Deno.test.beforeEach(() => void (skew = 0));

async function ask(username: string, served = app): Promise<string> {
  const answer = await postJson(served, "/api/auth/request-code", { username });
  return (await expectJson<{ code: string }>(answer, 200)).code;
}

/** A try, from an address of its own when one is given. */
function attempt(
  username: string,
  code: unknown,
  address = "203.0.113.1",
  served = app,
): Promise<Response> {
  return fetch(`${served.origin}/api/auth/verify-code`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": address,
    },
    body: JSON.stringify({ username, code }),
  });
}

async function statusOf(token: string): Promise<number> {
  const answer = await fetch(`${app.origin}/api/auth/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.status;
}

/** A code that is not the given one. */
const other = (code: string) => code === "000000" ? "000001" : "000000";

securityCase(
  35,
  "signing in",
  "an HttpOnly, SameSite cookie, new each time",
  async () => {
    const [first, second] = [
      await signIn(app, "s35"),
      await signIn(app, "s35"),
    ];
    assert.notEqual(first.cookie, second.cookie);
    const answer = await attempt("s35", await ask("s35"));
    await answer.body?.cancel();
    const [session, refresh] = answer.headers.getSetCookie();
    assert.match(session ?? "", /HttpOnly; SameSite=Lax$/);
    assert.match(refresh ?? "", /HttpOnly; SameSite=Strict$/);
  },
);

securityCase(
  36,
  "wrong codes, then the right one",
  "five kill the code; a fresh one works, however many came before",
  async () => {
    const code = await ask("s36");
    for (let i = 0; i < 5; i++) {
      await expectProblem(await attempt("s36", other(code)), "invalid_code");
    }
    const right = await attempt("s36", code);
    const wrong = await attempt("s36", other(code));
    const [one, two] = [
      await expectProblem(right, "invalid_code"),
      await expectProblem(wrong, "invalid_code"),
    ];
    assert.equal(one.detail, two.detail);
    for (let i = 0; i < 20; i++) {
      await expectProblem(await attempt("s36", other(code)), "invalid_code");
    }
    await expectJson(await attempt("s36", await ask("s36")), 200);
  },
);

securityCase(
  37,
  "guesses of one address, and of an IPv6 /48, over many names",
  "thirty an hour; other addresses are not kept out",
  async () => {
    await using app = await startTestApp({
      AUTH_RATE_LIMIT: "on",
      TRUSTED_PROXY_HOPS: "1",
    });
    for (
      const addressOf of [
        () => "198.51.100.7",
        (n: number) => `2001:db8:37:${n}::1`,
      ]
    ) {
      const statuses: number[] = [];
      for (let n = 0; n < 40; n++) {
        const name = `s37_${n % 10}`;
        const answer = await attempt(name, "000000", addressOf(n), app);
        await answer.body?.cancel();
        statuses.push(answer.status);
      }
      assert.equal(statuses.filter((status) => status === 401).length, 30);
      assert.equal(statuses.at(-1), 429);
    }
    const code = await ask("s37", app);
    await expectJson(await attempt("s37", code, "198.51.100.8", app), 200);
  },
);

securityCase(
  38,
  "a code twice, also at once",
  "exactly one success",
  async () => {
    const code = await ask("s38");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => attempt("s38", code)),
    );
    for (const answer of answers) await answer.body?.cancel();
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    await expectProblem(await attempt("s38", code), "invalid_code");
  },
);

securityCase(
  39,
  "a code after ten minutes, an older one, another user's",
  "401",
  async () => {
    const first = await ask("s39");
    let second = await ask("s39");
    while (second === first) second = await ask("s39");
    await expectProblem(await attempt("s39", first), "invalid_code");
    await ask("s39_b");
    await expectProblem(await attempt("s39_b", second), "invalid_code");
    skew = 601_000;
    await expectProblem(await attempt("s39", second), "invalid_code");
  },
);

securityCase(
  40,
  "ten thousand codes",
  "six digits over the whole range, leading zeros included",
  async () => {
    const codes = Array.from({ length: 10_000 }, createLoginCode);
    assert.ok(codes.every((code) => /^\d{6}$/.test(code)));
    const byDigit = Object.groupBy(codes, (code) => code[0]!);
    for (const digit of "0123456789") {
      const count = byDigit[digit]?.length ?? 0;
      // Ten standard deviations around a thousand.
      assert.ok(count > 700 && count < 1_300, `${digit}: ${count}`);
    }
    await Promise.resolve();
  },
);

securityCase(
  41,
  "a code for a known and for an unknown name",
  "the same answer but for the code",
  async () => {
    await signIn(app, "s41");
    const seen = async (username: string) => {
      const answer = await postJson(app, "/api/auth/request-code", {
        username,
      });
      const body = await expectJson<Record<string, string>>(answer, 200);
      const own = new Set(["date", "x-request-id"]);
      const headers = [...answer.headers].filter(([name]) => !own.has(name));
      return { headers, keys: Object.keys(body), message: body.message };
    };
    assert.deepEqual(await seen("s41"), await seen("s41_nobody"));
  },
);

securityCase(
  42,
  "forty requests for codes of one name",
  "thirty are answered, the others are 429 with Retry-After",
  async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) {
      const answer = await postJson(app, "/api/auth/request-code", {
        username: "s42",
      });
      await answer.body?.cancel();
      statuses.push(answer.status);
      if (answer.status === 429) assert.ok(answer.headers.get("retry-after"));
    }
    assert.equal(statuses.filter((status) => status === 200).length, 30);
  },
);

securityCase(
  43,
  "codes with spaces, full-width digits, NUL, too long, in a list",
  "400",
  async () => {
    const code = await ask("s43");
    const bad = [
      ` ${code} `,
      "１２３４５６",
      `${code}\0`,
      `${code}7`,
      [code],
      1,
    ];
    for (const each of bad) {
      await expectProblem(await attempt("s43", each), "validation_failed");
    }
  },
);

securityCase(
  44,
  "a token with alg none, another key or no signature",
  "401",
  async () => {
    const { user, token } = await signIn(app, "s44");
    const claims = { username: user.username };
    const unsigned = new UnsecuredJWT(claims).setSubject(user.id)
      .setExpirationTime("1h").encode();
    const [header, payload] = token.split(".");
    const foreign = await new SignJWT(claims).setProtectedHeader({
      alg: "HS256",
    })
      .setSubject(user.id).setExpirationTime("1h")
      .sign(new TextEncoder().encode(JWT_SECRET.replace("a", "b")));
    for (const bad of [unsigned, `${header}.${payload}.`, foreign]) {
      assert.equal(await statusOf(bad), 401);
    }
    assert.equal(await statusOf(token), 200, "the premise");
  },
);

securityCase(
  45,
  "kid, jku, x5u and jwk in a token's header",
  "ignored: the own key alone decides",
  async () => {
    const { user } = await signIn(app, "s45");
    const header = {
      alg: "HS256",
      kid: "../../../dev/null",
      jku: "http://127.0.0.1:1/keys",
      x5u: "http://127.0.0.1:1/x",
      jwk: { kty: "oct", k: "AAAA" },
    };
    const sign = (key: string) =>
      new SignJWT({ username: user.username }).setProtectedHeader(header)
        .setSubject(user.id).setIssuedAt().setExpirationTime("1h")
        .sign(new TextEncoder().encode(key));
    assert.equal(await statusOf(await sign("\0".repeat(32))), 401);
    assert.equal(await statusOf(await sign(JWT_SECRET)), 200);
  },
);

securityCase(
  46,
  "exp past, missing, a text, 1e18; nbf in the future; a name's worth of claims missing",
  "401",
  async () => {
    const { user } = await signIn(app, "s46");
    const now = Math.floor(Date.now() / 1000);
    const good = {
      sub: user.id,
      username: user.username,
      iat: now,
      exp: now + 60,
    };
    const sign = (claims: Record<string, unknown>) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
        .sign(new TextEncoder().encode(JWT_SECRET));
    for (
      const change of [
        { exp: now - 1 },
        { exp: undefined },
        { exp: `${now + 60}` as unknown as number },
        { exp: 1e18 },
        { nbf: now + 600 },
        { sub: undefined },
        { sub: crypto.randomUUID() },
        { username: undefined },
        { sid: "no uuid" },
      ]
    ) {
      let token: string;
      try {
        token = await sign({ ...good, ...change });
      } catch {
        continue; // The library does not even sign it.
      }
      assert.equal(await statusOf(token), 401, JSON.stringify(change));
    }
    assert.equal(await statusOf(await sign(good)), 200, "the premise");
  },
);

securityCase(
  47,
  "production with an empty or short secret, or codes for whoever asks",
  "no start",
  async () => {
    const production = { CHATKET_ENV: "production", CODE_DELIVERY: "console" };
    for (const JWT_SECRET of ["", "short", "x".repeat(31)]) {
      assert.throws(
        () => loadConfig({ ...production, JWT_SECRET }),
        /JWT_SECRET/,
      );
    }
    const open = { ...production, JWT_SECRET, CODE_DELIVERY: "response" };
    assert.throws(() => loadConfig(open), /CODE_DELIVERY/);
    await Promise.resolve();
  },
);

securityCase(
  48,
  "logout",
  "the session's sockets close at once with 4401, the old cookie is 401",
  async () => {
    const person = await signIn(app, "s48");
    await using socket = await connect(app, person);
    await person.fetch("/api/auth/logout", { method: "POST" });
    assert.equal((await socket.closed).code, 4401);
    const answer = await fetch(`${app.origin}/api/auth/me`, {
      headers: { cookie: person.cookie },
    });
    await expectProblem(answer, "unauthorized");
  },
);

securityCase(
  49,
  "a token that ends while its socket is open",
  "4401 within seconds",
  async () => {
    const person = await signIn(app, "s49");
    await using socket = await connect(app, person);
    skew = 7 * 86_400_000;
    assert.equal((await socket.closed).code, 4401);
  },
);
