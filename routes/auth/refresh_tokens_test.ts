import assert from "node:assert/strict";
import {
  createRefreshToken,
  hashRefreshToken,
  readRefreshToken,
} from "./refresh_tokens.ts";
import { createSessionKeys } from "./session_keys.ts";

const SECRET = "a secret of at least thirty-two characters";

const USER_ID = "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a";
const SESSION = "5b0e7a52-6f0c-4c8e-9d50-3a1b2c4d5e6f";

const keys = await createSessionKeys(SECRET);

Deno.test("readRefreshToken() knows the tokens that were made here, and no others", async () => {
  const token = await createRefreshToken(keys, SESSION);
  assert.equal(await readRefreshToken(keys, token), SESSION);
  const strange = await createSessionKeys(
    "another secret, as long as the first",
  );
  assert.equal(await readRefreshToken(strange, token), undefined);
  const [session, random, mark] = token.split(".");
  const another = (await createRefreshToken(keys, SESSION)).split(".")[1];
  for (
    const bad of [
      "",
      `${session}.${random}`,
      `${session}.${another}.${mark}`,
      `${USER_ID}.${random}.${mark}`,
      `${token} `,
      `${token}=`,
    ]
  ) assert.equal(await readRefreshToken(keys, bad), undefined, bad);
});

Deno.test("createRefreshToken() never gives the same token, and its hash shows none of it", async () => {
  const token = await createRefreshToken(keys, SESSION);
  assert.notEqual(await createRefreshToken(keys, SESSION), token);
  assert.match(await hashRefreshToken(token), /^[\da-f]{64}$/);
});
