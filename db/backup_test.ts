import assert from "node:assert/strict";
import { sql } from "kysely";
import { startTestApp } from "../tests/helpers/app.ts";
import { connect } from "../tests/helpers/client.ts";
import { makePlace, type TestPlace } from "../tests/helpers/database.ts";
import { silentLog } from "../tests/helpers/log.ts";
import { createRoom, signIn } from "../tests/helpers/people.ts";
import {
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { run } from "../tests/helpers/system.ts";
import { backUp, backUpToFile, tablesInOrder } from "./backup.ts";
import { type Database, openDatabase } from "./database.ts";
import { replaceLoginCode } from "./login_codes.ts";
import { storeMessages } from "./messages.ts";
import { migrate } from "./migrate.ts";
import { backupLines, restore, RestoreError } from "./restore.ts";

async function openMigrated(place: TestPlace): Promise<Database> {
  const db = await openDatabase(place, silentLog);
  await migrate(db);
  return db;
}

async function fill(db: Database, messages: number): Promise<void> {
  const [alice, bob] = [await makeUser(db), await makeUser(db)];
  const roomId = await makeRoom(db, alice, bob);
  await replaceLoginCode(db, {
    userId: bob.id,
    codeHash: "hash",
    expiresAt: NOON,
    now: NOON,
  });
  const texts = ["quote ' \" \\ $1", "line\nline\u0001", "👩‍👩‍👧‍👦 İ ı", "\\u0041"];
  const given = Array.from(
    { length: messages },
    (_, n) => newMessage(roomId, bob.id, texts[n % texts.length]),
  );
  for (let start = 0; start < messages; start += 500) {
    await storeMessages(db, given.slice(start, start + 500), NOON);
  }
}

/** Everything in the program's tables, as text that can be compared. */
async function contents(db: Database): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of await tablesInOrder(db)) {
    const { rows } = await sql<{ row: string }>`
      select row_to_json(t)::text as row from ${sql.table(table)} t
    `.execute(db);
    all[table] = rows.map(({ row }) => row).sort();
  }
  return all;
}

async function* backupOf(db: Database): AsyncGenerator<string> {
  const lines: string[] = [];
  await backUp(db, NOON, (line) => Promise.resolve(void lines.push(line)));
  yield* lines;
}

Deno.test("a backup that is restored has every row as it was, in the other kind of database too", async () => {
  await using place = await makePlace();
  await using other = await makePlace("pglite");
  await using db = await openMigrated(place);
  await fill(db, 2_300);
  const file = `${place.dataDir}/copy`;
  const rows = await backUpToFile(db, NOON, file);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);

  await using restored = await openDatabase(other, silentLog);
  assert.equal(await restore(restored, backupLines(file)), rows);
  const before = await contents(db);
  assert.equal(before.messages?.length, 2_300);
  assert.deepEqual(await contents(restored), before);
  assert.deepEqual(await migrate(restored), []);
});

Deno.test("restore() on the engine under test gives back what backUp() gave, and the room goes on from there", async () => {
  await using place = await makePlace();
  await using empty = await makePlace();
  await using db = await openMigrated(place);
  await fill(db, 5);
  await using restored = await openDatabase(empty, silentLog);
  await restore(restored, backupOf(db));
  assert.deepEqual(await contents(restored), await contents(db));
  const { id, created_by } = await restored.selectFrom("rooms").selectAll()
    .executeTakeFirstOrThrow();
  const [next] = await storeMessages(
    restored,
    [newMessage(id, created_by)],
    NOON,
  );
  assert.equal(next?.seq, 6);
});

Deno.test("restore() refuses a database that has tables and leaves it as it is", async () => {
  await using place = await makePlace();
  await using db = await openMigrated(place);
  await fill(db, 3);
  const before = await contents(db);
  await assert.rejects(restore(db, backupOf(db)), RestoreError);
  assert.deepEqual(await contents(db), before);
});

Deno.test("restore() stores no row of a backup that is cut short, altered, from a newer program or none at all", async () => {
  await using place = await makePlace();
  await using db = await openMigrated(place);
  await fill(db, 3);
  const whole = await Array.fromAsync(backupOf(db));
  const header = JSON.parse(whole[0]!);
  const newer = { ...header, migrations: ["9999_future"] };
  const noBackups = [[JSON.stringify(newer)], ["hello"], ["{}"], []];
  const broken = [
    whole.slice(0, -1),
    whole.toSpliced(-1, 0, '{"table":"pg_class","rows":[]}'),
  ];
  for (const lines of broken) {
    await using empty = await makePlace();
    await using target = await openDatabase(empty, silentLog);
    const refused = (given: string[]) =>
      assert.rejects(
        restore(target, ReadableStream.from(given)),
        RestoreError,
        given.join(),
      );
    for (const none of noBackups) await refused(none);
    await refused(lines);
    for (const [table, rows] of Object.entries(await contents(target))) {
      assert.deepEqual(rows, [], table);
    }
  }
});

Deno.test("backUpToFile() overwrites nothing and leaves no half of a file behind", async () => {
  await using place = await makePlace();
  await using db = await openMigrated(place);
  const file = `${place.dataDir}/copy`;
  await Deno.writeTextFile(file, "precious");
  await assert.rejects(backUpToFile(db, NOON, file), /exists/);
  assert.equal(await Deno.readTextFile(file), "precious");
  await db.schema.dropTable("kysely_migration").execute();
  await assert.rejects(backUpToFile(db, NOON, `${place.dataDir}/other`));
  const left = await Array.fromAsync(Deno.readDir(place.dataDir));
  assert.ok(!left.some(({ name }) => name.startsWith("other")));
});

const task = (
  name: string,
  file: string,
  env: Readonly<Record<string, string>>,
) =>
  run(Deno.execPath(), ["task", "-q", name, file], {
    env: { DATABASE_URL: "", ...env },
  });

Deno.test("`deno task backup` while people talk, `deno task restore`, and the new server has every message acked before", async () => {
  await using app = await startTestApp({ RATE_LIMIT_MESSAGES: "100000" });
  const alice = await signIn(app, "alice");
  const room = await createRoom(alice);
  await using client = await connect(app, alice);
  let talking = true;
  const acked: string[] = [];
  const talk = (async () => {
    while (talking) {
      const { messageId } = await client.expect("message:send", {
        roomId: room.id,
        text: "hello",
        clientMsgId: crypto.randomUUID(),
      });
      acked.push(messageId);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const file = `${app.place.dataDir}/copy.backup`;
  const ackedBefore = acked.length;
  const made = await task("backup", file, app.place.env);
  assert.equal(made.code, 0, made.stderr);
  talking = false;
  await talk;
  assert.ok(acked.length > ackedBefore, "nobody talked meanwhile");
  const again = await task("backup", file, app.place.env);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /^no backup was made: .* exists/);

  await using place = await makePlace();
  const restored = await task("restore", file, place.env);
  assert.equal(restored.code, 0, restored.stderr);
  const { env } = app.place;
  await using second = await startTestApp({
    JWT_SECRET: app.config.jwtSecret ??
      await Deno.readTextFile(`${env.DATA_DIR}/jwt_secret`),
  }, { place });
  const answer = await fetch(`${second.origin}/api/rooms/${room.id}`, {
    headers: { cookie: alice.cookie },
  });
  const { lastSeq } = await answer.json();
  assert.ok(lastSeq >= ackedBefore && lastSeq <= acked.length, `${lastSeq}`);
  const page = await fetch(`${second.origin}/api/rooms/${room.id}/messages`, {
    headers: { cookie: alice.cookie },
  });
  const { messages } = await page.json();
  assert.deepEqual(
    messages.map((each: { messageId: string }) => each.messageId),
    acked.slice(Math.max(0, lastSeq - 50), lastSeq),
  );
  const refused = await task("restore", file, app.place.env);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^nothing was restored: /);
});
