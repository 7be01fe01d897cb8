import { sql } from "kysely";
import assert from "node:assert/strict";
import { startTestApp } from "../../tests/helpers/app.ts";
import { connect } from "../../tests/helpers/client.ts";
import {
  makeMigratedPlace,
  makePlace,
  type TestPlace,
} from "../../tests/helpers/database.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import { createRoom, type Room, signIn } from "../../tests/helpers/people.ts";
import {
  applyChanges,
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../../tests/helpers/records.ts";
import { run } from "../../tests/helpers/system.ts";
import { type Database, openDatabase } from "../engine/database.ts";
import { migrate } from "../engine/migrate.ts";
import { readDeployment } from "../deployment.ts";
import { replaceLoginCode, tryLoginCode } from "../login_codes.ts";
import { type NewMessage, storeMessages } from "../messages.ts";
import { createSession, findTokenUser } from "../sessions.ts";
import { backUp, backUpToFile, tablesInOrder } from "./backup.ts";
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
  const [first, second] = given;
  if (first === undefined || second === undefined) return;
  await applyChanges(db, [
    { ...{ kind: "edit", text: "edited" }, ...of(first) },
    { ...{ kind: "reaction", emoji: "👍", on: true }, ...of(first) },
    { ...{ kind: "delete" }, ...of(second) },
  ]);
}

/** What names a message's author and place in a change. */
const of = ({ roomId, id: messageId, userId }: NewMessage) => ({
  ...{ roomId, messageId, userId },
});

/** What restore() ends: sign-ins, and the history that clients hold parts of. */
const RENEWED = new Set(["sessions", "login_codes", "deployment"]);

/** Everything in the program's tables, as text that can be compared, but what restore() ends. */
async function contents(db: Database): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const table of await tablesInOrder(db)) {
    if (RENEWED.has(table)) continue;
    const { rows } = await sql<{ row: string }>`
      select (to_jsonb(t) - 'tokens_from')::text as row from ${
      sql.table(table)
    } t
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
  await using place = await makeMigratedPlace();
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
  await using place = await makeMigratedPlace();
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

Deno.test("a restored database is another history under another name, for clients and for Redis", async () => {
  await using place = await makeMigratedPlace();
  await using other = await makePlace();
  await using db = await openMigrated(place);
  const before = await readDeployment(db);
  assert.deepEqual(await readDeployment(db), before);
  await using restored = await openDatabase(other, silentLog);
  await restore(restored, backupOf(db));
  const after = await readDeployment(restored);
  assert.notEqual(after.epoch, before.epoch);
  assert.notEqual(after.namespace, before.namespace);
});

Deno.test("restore() refuses a database that has tables and leaves it as it is", async () => {
  await using place = await makeMigratedPlace();
  await using db = await openMigrated(place);
  await fill(db, 3);
  const before = await contents(db);
  await assert.rejects(restore(db, backupOf(db)), RestoreError);
  assert.deepEqual(await contents(db), before);
});

/** Names of all tables, also those that Kysely keeps its migrations in. */
async function tableNames(db: Database): Promise<string[]> {
  const options = { withInternalKyselyTables: true };
  return (await db.introspection.getTables(options)).map(({ name }) => name);
}

Deno.test("restore() leaves no table of a backup that is cut short, altered, from a newer program or none at all, and the database takes a whole one", async () => {
  await using place = await makeMigratedPlace();
  await using db = await openMigrated(place);
  await fill(db, 3);
  const whole = await Array.fromAsync(backupOf(db));
  const header = JSON.parse(whole[0]!);
  const newer = { ...header, migrations: ["9999_future"] };
  const broken = [
    [JSON.stringify(newer)],
    ["hello"],
    ["{}"],
    [],
    whole.slice(0, -1),
    whole.slice(0, 3),
    whole.toSpliced(-1, 0, '{"table":"pg_class","rows":[]}'),
    [...whole, whole.at(-1)!],
  ];
  await using empty = await makePlace();
  await using target = await openDatabase(empty, silentLog);
  for (const lines of broken) {
    const given = ReadableStream.from(lines);
    await assert.rejects(restore(target, given), RestoreError, lines.join());
    assert.deepEqual(await tableNames(target), []);
  }
  await restore(target, ReadableStream.from(whole));
  assert.deepEqual(await contents(target), await contents(db));
});

Deno.test("restore() refuses a file whose checksum is wrong, or that is cut short, and leaves no table", async () => {
  await using place = await makeMigratedPlace();
  await using db = await openMigrated(place);
  await fill(db, 3);
  const file = `${place.dataDir}/copy`;
  await backUpToFile(db, NOON, file);
  const whole = await Deno.readFile(file);
  // The last eight bytes are the checksum and the length of what was packed.
  const wrongChecksum = whole.with(-8, whole.at(-8)! ^ 1);
  const wrongLength = whole.with(-1, whole.at(-1)! ^ 1);
  await using empty = await makePlace();
  await using target = await openDatabase(empty, silentLog);
  for (
    const bytes of [
      wrongChecksum,
      wrongLength,
      whole.slice(0, -1),
      whole.slice(0, -40),
      whole.slice(10),
    ]
  ) {
    await Deno.writeFile(file, bytes);
    await assert.rejects(
      restore(target, backupLines(file)),
      /is damaged, cut short or no gzip file/,
    );
    assert.deepEqual(await tableNames(target), []);
  }
});

Deno.test("backUpToFile() overwrites nothing and leaves no half of a file behind", async () => {
  await using place = await makeMigratedPlace();
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

Deno.test("restore() ends every session, token and code of the backup: some were signed out since", async () => {
  await using place = await makeMigratedPlace();
  await using empty = await makePlace();
  await using db = await openMigrated(place);
  const { id: userId } = await makeUser(db);
  const session = { id: crypto.randomUUID(), userId, userAgent: "", now: NOON };
  const forYears = new Date("2100-01-01");
  const keeps = { refreshHash: "hash", expiresAt: forYears };
  await createSession(db, { ...session, ...keeps });
  const code = { userId, codeHash: "right", now: NOON };
  await replaceLoginCode(db, { ...code, expiresAt: forYears });
  const now = new Date();
  const token = { userId, sessionId: session.id, issuedAt: now };
  assert.ok(await findTokenUser(db, token, now), "the premise");

  await using restored = await openDatabase(empty, silentLog);
  await restore(restored, backupOf(db));
  const withoutSession = {
    userId,
    sessionId: undefined,
    issuedAt: new Date(now.getTime() - 1_000),
  };
  for (const each of [token, withoutSession]) {
    assert.equal(await findTokenUser(restored, each, now), undefined);
  }
  assert.equal(await tryLoginCode(restored, code), undefined);
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
  // The task has the server's permissions, and they end at the folders of a system.
  await using place = await makePlace();
  await using app = await startTestApp({ RATE_LIMIT_MESSAGES: "100000" }, {
    place,
  });
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
  const twice = await task("backup", file, app.place.env);
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /^no backup was made: .* exists/);

  await using empty = await makePlace();
  const restored = await task("restore", file, empty.env);
  assert.equal(restored.code, 0, restored.stderr);
  const { env } = app.place;
  await using second = await startTestApp({
    JWT_SECRET: app.config.jwtSecret ??
      await Deno.readTextFile(`${env.DATA_DIR}/jwt_secret`),
  }, { place: empty });
  const old = await fetch(`${second.origin}/api/auth/me`, {
    headers: { cookie: alice.cookie },
  });
  assert.equal(old.status, 401, "sessions end with a restore");
  await old.body?.cancel();
  const again = await signIn(second, "alice");
  const { lastSeq } = await again.getJson<Room>(`/api/rooms/${room.id}`);
  assert.ok(lastSeq >= ackedBefore && lastSeq <= acked.length, `${lastSeq}`);
  const { messages } = await again.getJson<
    { messages: { messageId: string }[] }
  >(`/api/rooms/${room.id}/messages`);
  assert.deepEqual(
    messages.map(({ messageId }) => messageId),
    acked.slice(Math.max(0, lastSeq - 50), lastSeq),
  );
  const refused = await task("restore", file, app.place.env);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^nothing was restored: /);
});
