import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import { after, makeUser, NOON } from "../tests/helpers/records.ts";
import {
  MAX_CODE_TRIES,
  replaceLoginCode,
  tryLoginCode,
} from "./login_codes.ts";

const LIFE_MS = 600_000;

const test = useTestDatabase();

async function userWithCode(codeHash: string): Promise<string> {
  const { id } = await makeUser(test.db);
  await giveCode(id, codeHash);
  return id;
}

function giveCode(userId: string, codeHash: string): Promise<void> {
  return replaceLoginCode(test.db, {
    userId,
    codeHash,
    expiresAt: after(LIFE_MS),
    now: NOON,
  });
}

async function attempt(
  userId: string,
  codeHash: string,
  now = NOON,
): Promise<boolean> {
  return await tryLoginCode(test.db, { userId, codeHash, now }) !== undefined;
}

Deno.test("tryLoginCode() lets one of twenty tries at the same moment win", async () => {
  const userId = await userWithCode("right");
  const won = await Promise.all(
    Array.from({ length: 20 }, () => attempt(userId, "right")),
  );
  assert.equal(won.filter(Boolean).length, 1);
});

Deno.test("tryLoginCode() refuses a code that was used", async () => {
  const userId = await userWithCode("right");
  assert.equal(await attempt(userId, "right"), true);
  assert.equal(await attempt(userId, "right"), false);
});

Deno.test("tryLoginCode() still takes the right code at the last try", async () => {
  const userId = await userWithCode("right");
  for (let tries = 1; tries < MAX_CODE_TRIES; tries++) {
    assert.equal(await attempt(userId, "wrong"), false);
  }
  assert.equal(await attempt(userId, "right"), true);
});

Deno.test("tryLoginCode() refuses the right code after five wrong tries", async () => {
  const userId = await userWithCode("right");
  for (let tries = 0; tries < MAX_CODE_TRIES; tries++) {
    await attempt(userId, "wrong");
  }
  assert.equal(await attempt(userId, "right"), false);
});

Deno.test("tryLoginCode() counts wrong tries made at the same moment", async () => {
  const userId = await userWithCode("right");
  await Promise.all(
    Array.from({ length: MAX_CODE_TRIES }, () => attempt(userId, "wrong")),
  );
  assert.equal(await attempt(userId, "right"), false);
});

Deno.test("tryLoginCode() takes a code until its life ends, and not at that moment", async () => {
  const early = await userWithCode("right");
  assert.equal(await attempt(early, "right", after(LIFE_MS - 1)), true);
  const late = await userWithCode("right");
  assert.equal(await attempt(late, "right", after(LIFE_MS)), false);
});

Deno.test("replaceLoginCode() voids the earlier code and gives the new one all its tries", async () => {
  const userId = await userWithCode("first");
  for (let tries = 0; tries < MAX_CODE_TRIES; tries++) {
    await attempt(userId, "wrong");
  }
  await giveCode(userId, "second");
  assert.equal(await attempt(userId, "first"), false);
  assert.equal(await attempt(userId, "second"), true);
});

Deno.test("tryLoginCode() refuses another user's code and a user without one", async () => {
  await userWithCode("hers");
  const other = await userWithCode("his");
  assert.equal(await attempt(other, "hers"), false);
  assert.equal(await attempt((await makeUser(test.db)).id, "hers"), false);
});
