import { jwtVerify, SignJWT } from "jose";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { peekSession, signSession, verifySession } from "./access_tokens.ts";
import { createSessionKeys } from "./session_keys.ts";

const SECRET = "a secret of at least thirty-two characters";
const NOW = Date.UTC(2026, 2, 1, 12);
const SECONDS = NOW / 1000;
const USER = { id: "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a", username: "alice" };

const SESSION = "5b0e7a52-6f0c-4c8e-9d50-3a1b2c4d5e6f";

const keys = await createSessionKeys(SECRET);

function base64url(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** A token signed with the right key and whatever claims. */
function forge(
  claims: Record<string, unknown>,
  header: { alg?: string } & Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", ...header })
    .sign(new TextEncoder().encode(SECRET));
}

/** What the whole check says. Whatever it accepts, the quick one must have let in, with the same claims. */
async function verify(token: string, now: number) {
  const claims = await verifySession(keys, token, now);
  if (claims !== undefined) {
    assert.deepEqual(peekSession(keys, token, now), claims);
  }
  return claims;
}

const GOOD = {
  sub: USER.id,
  username: USER.username,
  iat: SECONDS,
  exp: SECONDS + 60,
};

Deno.test("signSession() makes a token that verifySession() reads back", async () => {
  const token = await signSession(keys, USER, {
    now: NOW,
    expiresInSeconds: 60,
  });
  assert.deepEqual(await verify(token, NOW), {
    userId: USER.id,
    username: "alice",
    sessionId: undefined,
    issuedAt: NOW,
    expiresAt: NOW + 60_000,
  });
});

Deno.test("signSession() puts sub, username, iat and exp into the payload, and nothing else", async () => {
  const token = await signSession(keys, USER, {
    now: NOW,
    expiresInSeconds: 60,
  });
  const payload = JSON.parse(
    new TextDecoder().decode(
      Uint8Array.fromBase64(token.split(".")[1]!, { alphabet: "base64url" }),
    ),
  );
  assert.deepEqual(payload, GOOD);
});

Deno.test("verifySession() accepts a token that another tool signed with the secret", async () => {
  assert.notEqual(await verify(await forge(GOOD), NOW), undefined);
});

Deno.test("verifySession() refuses a token from its exp on", async () => {
  const token = await signSession(keys, USER, {
    now: NOW,
    expiresInSeconds: 60,
  });
  assert.notEqual(await verify(token, NOW + 59_999), undefined);
  assert.equal(await verify(token, NOW + 60_000), undefined);
});

Deno.test("verifySession() lets the issuer's clock be five seconds ahead", async () => {
  const ahead = (seconds: number) => forge({ ...GOOD, nbf: SECONDS + seconds });
  assert.notEqual(await verify(await ahead(4), NOW), undefined);
  assert.equal(await verify(await ahead(6), NOW), undefined);
});

Deno.test("verifySession() refuses claims that are missing or absurd", async (t) => {
  const { exp: _exp, ...withoutExp } = GOOD;
  const { sub: _sub, ...withoutSub } = GOOD;
  const { iat: _iat, ...withoutIat } = GOOD;
  const { username: _username, ...withoutName } = GOOD;
  const bad: Record<string, Record<string, unknown>> = {
    "no exp": withoutExp,
    "no sub": withoutSub,
    "no iat": withoutIat,
    "no username": withoutName,
    "exp 1e18": { ...GOOD, exp: 1e18 },
    "exp a string": { ...GOOD, exp: String(GOOD.exp) },
    "exp not whole": { ...GOOD, exp: GOOD.exp + 0.5 },
    "exp negative": { ...GOOD, exp: -1 },
    "sub no UUID": { ...GOOD, sub: "' or 1=1 --" },
    "sub a number": { ...GOOD, sub: 7 },
    "nbf in the future": { ...GOOD, nbf: SECONDS + 30 },
    "nbf a string": { ...GOOD, nbf: String(SECONDS) },
  };
  for (const [name, claims] of Object.entries(bad)) {
    await t.step(name, async () => {
      const token = await forge(claims);
      assert.equal(await verify(token, NOW), undefined);
    });
  }
});

Deno.test("verifySession() refuses every other algorithm", async (t) => {
  for (const alg of ["none", "None", "NONE", "nOnE"]) {
    await t.step(alg, async () => {
      const token = `${base64url({ alg, typ: "JWT" })}.${base64url(GOOD)}.`;
      assert.equal(await verify(token, NOW), undefined);
    });
  }
  for (const alg of ["HS384", "HS512"]) {
    await t.step(alg, async () => {
      const token = await new SignJWT(GOOD).setProtectedHeader({ alg })
        .sign(new TextEncoder().encode(SECRET.repeat(2)));
      assert.equal(await verify(token, NOW), undefined);
    });
  }
});

Deno.test("verifySession() refuses another key, a changed payload and a stripped signature", async () => {
  const good = await forge(GOOD);
  const [header, , signature] = good.split(".");
  const other = await createSessionKeys(
    "another secret, quite as long as that",
  );
  const stranger = await signSession(other, USER, {
    now: NOW,
    expiresInSeconds: 60,
  });
  const changed = `${header}.${
    base64url({ ...GOOD, sub: crypto.randomUUID() })
  }.${signature}`;
  for (const token of [stranger, changed, `${good.split(".", 2).join(".")}.`]) {
    assert.equal(await verify(token, NOW), undefined);
  }
});

Deno.test("verifySession() takes no key from the token's own header", async () => {
  const attacker = await crypto.subtle.generateKey(
    { name: "HMAC", hash: "SHA-256" },
    true,
    ["sign"],
  );
  const jwk = await crypto.subtle.exportKey("jwk", attacker);
  const token = await new SignJWT(GOOD).setProtectedHeader({
    alg: "HS256",
    kid: "../../dev/null",
    jku: "http://127.0.0.1:9/keys",
    jwk: jwk as Record<string, string>,
  }).sign(attacker);
  assert.equal(await verify(token, NOW), undefined);
});

Deno.test("verifySession() refuses a token that demands an extension, and one with a fourth part", async () => {
  const header = base64url({ alg: "HS256", crit: ["b64"], b64: false });
  const signed = `${header}.${base64url(GOOD)}`;
  const mark = createHmac("sha256", SECRET).update(signed).digest("base64url");
  const good = await forge(GOOD);
  for (const token of [`${signed}.${mark}`, `${good}.`]) {
    assert.equal(await verify(token, NOW), undefined, token);
  }
});

Deno.test("peekSession() refuses at once what a stranger has made, and what has expired", async () => {
  const other = await createSessionKeys(
    "a secret that is not ours, and as long",
  );
  const options = { now: NOW, expiresInSeconds: 60 };
  const good = await signSession(keys, USER, options);
  const [header, payload, signature] = good.split(".");
  const changed = base64url({ ...GOOD, sub: crypto.randomUUID() });
  const tokens = [
    await signSession(other, USER, options),
    `${header}.${changed}.${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${good}.`,
    `${good}=`,
    `${base64url({ alg: "none" })}.${payload}.`,
    await forge({ ...GOOD, exp: SECONDS }),
    await forge({ ...GOOD, exp: undefined }),
    await forge({ ...GOOD, sub: 7 }),
    ...["", ".", "..", "x.y.z", "\0", "é", "a".repeat(60_000)],
  ];
  for (const token of tokens) {
    assert.equal(peekSession(keys, token, NOW), undefined, token);
  }
  assert.equal(peekSession(keys, good, NOW + 60_000), undefined);
  assert.equal(peekSession(keys, good, NOW)?.userId, USER.id);
});

Deno.test("a token that is signed here is read by another tool", async () => {
  const token = await signSession(keys, USER, {
    now: NOW,
    expiresInSeconds: 60,
  });
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
    currentDate: new Date(NOW),
    algorithms: ["HS256"],
  });
  assert.deepEqual(payload, GOOD);
});

Deno.test("verifySession() refuses what is no token at all", async () => {
  for (const token of ["", ".", "..", "x.y.z", "\0", "é", "a".repeat(60_000)]) {
    assert.equal(await verify(token, NOW), undefined);
  }
});

Deno.test("signSession() names the session, and verifySession() reads it back", async () => {
  const options = { now: NOW, expiresInSeconds: 60, sessionId: SESSION };
  const token = await signSession(keys, USER, options);
  assert.equal((await verify(token, NOW))?.sessionId, SESSION);
});
