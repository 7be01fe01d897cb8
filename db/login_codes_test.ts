import assert from "node:assert/strict";
import { deleteAccount, findAccount } from "./accounts.ts";
import { useTestDatabase } from "../tests/helpers/database.ts";
import { after, makeUser, NOON } from "../tests/helpers/records.ts";
import {
  isLoginCodeGood,
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

function giveCode(userId: string, codeHash: string, email?: string) {
  return replaceLoginCode(test.db, {
    userId,
    codeHash,
    email,
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

Deno.test("a code that carries an address proves it at the first sign-in", async () => {
  const { id } = await makeUser(test.db);
  assert.deepEqual(await giveCode(id, "right", "owner@example.org"), {
    own: null,
    claimed: "owner@example.org",
  });
  assert.equal(await attempt(id, "right"), true);
  assert.equal((await findAccount(test.db, id)).email, "owner@example.org");
  assert.deepEqual(await giveCode(id, "next", "other@example.org"), {
    own: "owner@example.org",
    claimed: null,
  });
  assert.equal(await attempt(id, "next"), true);
  assert.equal((await findAccount(test.db, id)).email, "owner@example.org");
});

Deno.test("a code that carries an address is void once the name is claimed with another one", async () => {
  for (const email of ["owner@example.org", null]) {
    const { id } = await makeUser(test.db);
    await giveCode(id, "stranger's", "stranger@example.org");
    await test.db.updateTable("users").set({ email, signed_in_at: NOON })
      .where("id", "=", id).execute();
    assert.equal(await attempt(id, "stranger's"), false);
    assert.equal((await findAccount(test.db, id)).email, email);
  }
});

Deno.test("an address that the operator has set is kept, whatever address a code was asked for with", async () => {
  const { id } = await makeUser(test.db);
  await giveCode(id, "early", "stranger@example.org");
  await test.db.updateTable("users").set({ email: "set@example.org" })
    .where("id", "=", id).execute();
  assert.equal(await attempt(id, "early"), false);
  const address = await giveCode(id, "late", "stranger@example.org");
  assert.deepEqual(address, { own: "set@example.org", claimed: null });
  assert.equal(await attempt(id, "late"), true);
  assert.equal((await findAccount(test.db, id)).email, "set@example.org");
});

Deno.test("a deleted account gets no login code and can use none", async () => {
  const { id } = await makeUser(test.db);
  await giveCode(id, "right");
  await deleteAccount(test.db, id, NOON);
  assert.equal(await giveCode(id, "right"), undefined);
  assert.equal(await attempt(id, "right"), false);
});

Deno.test("isLoginCodeGood() is true for the newest code alone, until it was used, tried too often or is over", async () => {
  const isGood = (userId: string, codeHash: string, now = NOON) =>
    isLoginCodeGood(test.db, { userId, codeHash, now });
  const userId = await userWithCode("old");
  assert.equal(await isGood(userId, "old"), true);
  await giveCode(userId, "new");
  assert.equal(await isGood(userId, "old"), false);
  assert.equal(await isGood(userId, "new", after(LIFE_MS)), false);
  assert.equal(await isGood(userId, "new"), true);
  await attempt(userId, "new");
  assert.equal(await isGood(userId, "new"), false);
  const tried = await userWithCode("right");
  for (let tries = 0; tries < MAX_CODE_TRIES; tries++) {
    await attempt(tried, "wrong");
  }
  assert.equal(await isGood(tried, "right"), false);
});
