import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createLoginCode, hashLoginCode } from "./login_codes.ts";
import { createSessionKeys } from "./session_keys.ts";

const SECRET = "a secret of at least thirty-two characters";
const USER_ID = "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a";

const keys = await createSessionKeys(SECRET);

Deno.test("createLoginCode() gives six digits, low codes with their leading zeros", () => {
  const codes = Array.from({ length: 20_000 }, createLoginCode);
  assert.ok(codes.every((code) => /^\d{6}$/.test(code)));
  // One in ten starts with 0: none among 20,000 would be a broken padding.
  const low = codes.filter((code) => code.startsWith("0")).length;
  assert.ok(low > 1_500 && low < 2_500, `${low} of 20000`);
  assert.ok(new Set(codes).size > 19_000);
});

Deno.test("createLoginCode() draws again where a remainder would favour low codes", () => {
  const original = crypto.getRandomValues;
  const draws = [4_294_967_295, 4_294_000_000, 4_293_999_999];
  try {
    crypto.getRandomValues = ((array: Uint32Array) => {
      array[0] = draws.shift()!;
      return array;
    }) as typeof crypto.getRandomValues;
    assert.equal(createLoginCode(), "999999");
  } finally {
    crypto.getRandomValues = original;
  }
  assert.equal(draws.length, 0);
});

Deno.test("hashLoginCode() depends on the user, the code and the secret, and shows none of them", async () => {
  const hash = await hashLoginCode(keys, USER_ID, "123456");
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(hash, await hashLoginCode(keys, USER_ID, "123456"));
  const others = await Promise.all([
    hashLoginCode(keys, USER_ID, "123457"),
    hashLoginCode(keys, crypto.randomUUID(), "123456"),
    hashLoginCode(await createSessionKeys(`${SECRET}!`), USER_ID, "123456"),
  ]);
  assert.ok(others.every((other) => other !== hash));
});

Deno.test("hashLoginCode() does not use the key that signs tokens", async () => {
  const text = new TextEncoder().encode(`${USER_ID}:123456`);
  const withTokenKey = new Uint8Array(
    createHmac("sha256", SECRET).update(text).digest(),
  ).toHex();
  assert.notEqual(await hashLoginCode(keys, USER_ID, "123456"), withTokenKey);
});
