import assert from "node:assert/strict";
import { createFakeClock } from "../tests/helpers/clock.ts";
import { engineUnderTest, useTestDatabase } from "../tests/helpers/database.ts";
import { recordingLog } from "../tests/helpers/log.ts";
import {
  after,
  makeRoom,
  makeUser,
  newMessage,
} from "../tests/helpers/records.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { replaceLoginCode } from "./login_codes.ts";
import { storeMessages } from "./messages.ts";

const DAY_MS = 86_400_000;
/** No message is older than its room, and rooms are made at {@link NOON}. */
const START = after(100 * DAY_MS).getTime();

const test = useTestDatabase();

/** 2,500 messages of a minute before a certain time, one that is a minute younger, a dead code, and a name that only a code was asked for. */
async function fill(at: number): Promise<string> {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, user);
  for (let n = 0; n < 5; n++) {
    const batch = Array.from(
      { length: 500 },
      () => newMessage(roomId, user.id),
    );
    await storeMessages(test.db, batch, new Date(at - 60_000));
  }
  const last = newMessage(roomId, user.id);
  await storeMessages(test.db, [last], new Date(at + 1));
  const dead = new Date(at);
  const asked = await makeUser(test.db, "asked");
  await test.db.updateTable("users").set({ signed_in_at: dead })
    .where("id", "=", user.id).execute();
  for (const { id: userId } of [user, asked]) {
    await replaceLoginCode(test.db, {
      userId,
      codeHash: "hash",
      expiresAt: dead,
      now: dead,
    });
  }
  return roomId;
}

const countOf = async (table: "messages" | "login_codes") =>
  (await test.db.selectFrom(table)
    .select((row) => row.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow()).count;

const askedNames = async () =>
  (await test.db.selectFrom("users").select("username")
    .where("username", "like", "asked%").execute()).length;

async function until(condition: () => boolean | Promise<boolean>) {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("it did not come to pass");
}

Deno.test("housekeeping removes old messages in batches with pauses, dead login codes and names without a sign-in, and begins again an hour later", async () => {
  const clock = createFakeClock(START);
  const log = recordingLog();
  await fill(START - 30 * DAY_MS);
  const job = startHousekeeping({
    db: test.db,
    isEmbedded: engineUnderTest() === "pglite",
    messageRetentionDays: 30,
    clock: clock.now,
    after: clock.after,
    log,
  });
  await clock.advance(59_999);
  assert.equal(await countOf("messages"), 2_501);
  await clock.advance(1);
  await until(() => clock.waiting === 1);
  assert.equal(await countOf("login_codes"), 0);
  assert.equal(await askedNames(), 0);
  // The first round is at START + 60 s: the last message is too old by then, too.
  assert.equal(await countOf("messages"), 1_501);
  for (const left of [501, 0]) {
    await clock.advance(200);
    await until(async () => await countOf("messages") === left);
  }
  await until(() => log.lines.length === 2);
  assert.match(log.lines.join("\n"), /names without a sign-in removed.*1\b/);
  assert.match(log.lines.join("\n"), /old messages removed.*2501/);

  await fill(START - 29 * DAY_MS);
  await until(() => clock.waiting === 1);
  await clock.advance(3_600_000);
  await until(async () => await countOf("login_codes") === 0);
  assert.equal(await countOf("messages"), 2_501, "29 days are not 30");
  await job.stop();
  assert.equal(clock.waiting, 0);
});

Deno.test("housekeeping without a retention time removes no message", async () => {
  const clock = createFakeClock(START);
  const before = await countOf("messages");
  const job = startHousekeeping({
    db: test.db,
    isEmbedded: engineUnderTest() === "pglite",
    messageRetentionDays: undefined,
    clock: clock.now,
    after: clock.after,
    log: recordingLog(),
  });
  await fill(START - 90 * DAY_MS);
  await clock.advance(60_000);
  await until(async () => await countOf("login_codes") === 0);
  await until(() => clock.waiting === 1);
  await job.stop();
  assert.equal(await countOf("messages"), before + 2_501);
});

Deno.test("stop() in the middle of a round ends it after the statement on its way", async () => {
  const clock = createFakeClock(START);
  const job = startHousekeeping({
    db: test.db,
    isEmbedded: engineUnderTest() === "pglite",
    messageRetentionDays: 30,
    clock: clock.now,
    after: clock.after,
    log: recordingLog(),
  });
  const before = await countOf("messages");
  await clock.advance(60_000);
  await until(async () => await countOf("messages") === before - 1_000);
  await job.stop();
  assert.equal(await countOf("messages"), before - 1_000);
  assert.equal(clock.waiting, 0);
});
