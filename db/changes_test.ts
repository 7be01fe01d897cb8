import { sql } from "kysely";
import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  applyChanges,
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { listChanged, listEdits } from "./change_history.ts";
import { MAX_KEPT_EDITS, type MessageChange } from "./changes.ts";
import { removeMember } from "./memberships.ts";
import { findMessage } from "./message_history.ts";
import { storeMessages } from "./messages.ts";
import { removeOldMessages } from "./retention.ts";

const test = useTestDatabase();

async function roomWithMessages(count: number) {
  const [author, other] = [await makeUser(test.db), await makeUser(test.db)];
  const roomId = await makeRoom(test.db, author, other);
  const messages = Array.from(
    { length: count },
    (_, n) => newMessage(roomId, author.id, `message ${n + 1}`),
  );
  await storeMessages(test.db, messages, NOON);
  const of = (n: number, userId = author.id) => ({
    ...{ roomId, messageId: messages[n - 1]!.id, userId },
  });
  return { author, other, roomId, messages, of };
}

const revs = (outcomes: Awaited<ReturnType<typeof applyChanges>>) =>
  outcomes.map((outcome) =>
    outcome.kind === "done" ? outcome.rev : outcome.code
  );

Deno.test("changeMessages() numbers each room's changes in their order, as one commit", async () => {
  const [one, two] = [await roomWithMessages(2), await roomWithMessages(1)];
  const outcomes = await applyChanges(test.db, [
    { kind: "edit", text: "edited", ...one.of(1) },
    { kind: "edit", text: "edited", ...two.of(1) },
    { kind: "delete", ...one.of(2) },
    { kind: "edit", text: "edited", ...one.of(1) },
    { kind: "pin", on: true, ...one.of(1) },
  ], after(5));
  assert.deepEqual(revs(outcomes), [1, 1, 2, 1, 3]);
  const row = await findMessage(test.db, one.roomId, one.messages[0]!.id);
  assert.deepEqual(
    [row?.text, row?.rev, row?.edited_at, row?.pinned_at],
    ["edited", 3, after(5), after(5)],
  );
});

Deno.test("changes of one room from many connections at once are numbered without a gap or a repeat", async () => {
  const { author, other, of, roomId } = await roomWithMessages(4);
  const all: MessageChange[] = [author, other].flatMap(({ id }) =>
    [1, 2, 3, 4].flatMap((n) =>
      ["👍", "🎉", "❤️"].map((emoji): MessageChange => ({
        ...{ kind: "reaction", emoji, on: true },
        ...of(n, id),
      }))
    )
  );
  const outcomes = await Promise.all(
    all.map((change) => applyChanges(test.db, [change])),
  );
  assert.deepEqual(
    revs(outcomes.flat()).sort((a, b) => Number(a) - Number(b)),
    all.map((_, n) => n + 1),
  );
  const everything = { afterRev: 0, fromSeq: 0, toSeq: 100 };
  const rows = await listChanged(test.db, [{ roomId, ...everything }], 100);
  assert.deepEqual(
    rows.map(({ reactions }) => reactions?.map(({ count }) => count)),
    rows.map(() => [2, 2, 2]),
  );
});

Deno.test("what another connection deletes first is deleted, and nothing of a later reaction is stored", async () => {
  for (let round = 0; round < 10; round++) {
    const { other, of, messages } = await roomWithMessages(1);
    const react = (emoji: string): MessageChange => ({
      ...{ kind: "reaction", emoji, on: true },
      ...of(1, other.id),
    });
    await Promise.all([
      applyChanges(test.db, [react("👍")]),
      applyChanges(test.db, [{ kind: "delete", ...of(1) }]),
      applyChanges(test.db, [react("🎉")]),
      applyChanges(test.db, [{ kind: "edit", text: "edited", ...of(1) }]),
    ]);
    const messageId = messages[0]!.id;
    for (const table of ["reactions", "message_edits"] as const) {
      const { rows } = await sql`select from ${
        sql.table(table)
      } where message_id = ${messageId}`.execute(test.db);
      assert.equal(rows.length, 0, table);
    }
    const row = await findMessage(test.db, of(1).roomId, messageId);
    assert.ok(row?.deleted_at);
    assert.equal(row.text, "");
  }
});

Deno.test("a member who has left changes nothing", async () => {
  const { author, of, roomId } = await roomWithMessages(1);
  await removeMember(test.db, roomId, author.id);
  assert.deepEqual(
    revs(await applyChanges(test.db, [{ kind: "delete", ...of(1) }])),
    ["not_a_member"],
  );
});

Deno.test("earlier texts are kept with their times, the newest of them when there are many", async () => {
  const { of, messages } = await roomWithMessages(1);
  const edit = (n: number) =>
    applyChanges(
      test.db,
      [{ kind: "edit", text: `text ${n}`, ...of(1) }],
      after(n),
    );
  await edit(1);
  await edit(2);
  assert.deepEqual(await listEdits(test.db, messages[0]!.id), [
    { text: "message 1", at: NOON },
    { text: "text 1", at: after(1) },
  ]);
  for (let n = 3; n <= MAX_KEPT_EDITS + 2; n++) await edit(n);
  const kept = await listEdits(test.db, messages[0]!.id);
  assert.equal(kept.length, MAX_KEPT_EDITS);
  assert.equal(kept[0]?.text, "text 2");
});

Deno.test("a quote shows what is quoted as it is now, cut, and that it is gone", async () => {
  const { author, other, of, roomId, messages } = await roomWithMessages(1);
  const quoted = messages[0]!;
  const reply = {
    ...newMessage(roomId, other.id, "an answer"),
    replyTo: { messageId: quoted.id, seq: 1, sender: { id: author.id } },
  };
  await storeMessages(test.db, [reply], after(1_000));
  const read = async () => await findMessage(test.db, roomId, reply.id);
  const text = "😀".repeat(200);
  await applyChanges(test.db, [{ kind: "edit", text, ...of(1) }]);
  const row = await read();
  assert.equal(row?.reply_to_text, "😀".repeat(140));
  assert.deepEqual(
    [row?.reply_to, row?.reply_to_seq, row?.reply_to_username],
    [quoted.id, 1, author.username],
  );
  await removeOldMessages(test.db, after(500), 1_000);
  assert.deepEqual(
    [(await read())?.reply_to, (await read())?.reply_to_text],
    [quoted.id, null],
  );
});
