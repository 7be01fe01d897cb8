/** Statements that meet the deletion or the claim of an account, held in the middle by its row lock. */

import { sql } from "kysely";
import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  after,
  makeRoom,
  makeUser,
  NO_LIMITS,
  NOON,
} from "../tests/helpers/records.ts";
import { deleteAccount } from "./accounts.ts";
import type { Database } from "./engine/database.ts";
import { replaceLoginCode, tryLoginCode } from "./login_codes.ts";
import { addMember } from "./memberships.ts";
import { createRoom } from "./rooms.ts";
import { createSession } from "./sessions.ts";

const test = useTestDatabase();

/** Resolves when this many statements wait for a lock, or none can any more. */
async function waitUntilBlocked(
  count: number,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const { rows: [row] } = await sql<{ waiting: number }>`
      select count(*) as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'
    `.execute(test.db);
    if (row!.waiting >= count) return;
  }
}

/**
 * Begins `statements` while a transaction that has done `first` is open, and commits it when all of
 * them wait for it.
 */
async function runBehind<const T extends readonly unknown[]>(
  first: (db: Database) => Promise<unknown>,
  statements: { [K in keyof T]: () => Promise<T[K]> },
): Promise<T> {
  const transaction = await test.db.startTransaction().execute();
  await first(transaction);
  let isOver = false;
  const running = Promise.all(statements.map((run) => run()))
    .finally(() => isOver = true);
  await waitUntilBlocked(statements.length, () => isOver);
  await transaction.commit().execute();
  return await running as unknown as T;
}

const newSession = (userId: string) => ({
  id: crypto.randomUUID(),
  userId,
  refreshHash: "hash",
  userAgent: "",
  now: NOON,
  expiresAt: after(600_000),
});

const newRoom = (createdBy: string) => {
  const id = crypto.randomUUID();
  return { id, name: `Room ${id.slice(0, 8)}`, createdBy, now: NOON };
};

Deno.test("sessions, memberships and rooms that wait for the deletion of their user are not stored", async () => {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, await makeUser(test.db));
  await replaceLoginCode(test.db, {
    userId: user.id,
    codeHash: "right",
    expiresAt: after(600_000),
    now: NOON,
  });
  const room = newRoom(user.id);
  const outcomes = await runBehind(
    // The row's change alone: a statement that waited must not need the deletion's later ones.
    (db) =>
      db.updateTable("users").set({ username: `deleted:${user.id}` })
        .where("id", "=", user.id).execute(),
    [
      () => createSession(test.db, newSession(user.id)),
      () =>
        addMember(
          test.db,
          { roomId, userId: user.id, now: NOON },
          NO_LIMITS,
        ),
      () => createRoom(test.db, room, NO_LIMITS),
      () =>
        tryLoginCode(test.db, {
          userId: user.id,
          codeHash: "right",
          now: NOON,
        }),
    ],
  );
  assert.deepEqual(outcomes, [false, "no_user", "no_user", undefined]);
  for (const table of ["sessions", "memberships"] as const) {
    const rows = await test.db.selectFrom(table).select("user_id")
      .where("user_id", "=", user.id).execute();
    assert.deepEqual(rows, [], table);
  }
  const rooms = await test.db.selectFrom("rooms").select("id")
    .where("id", "=", room.id).execute();
  assert.deepEqual(rooms, []);
});

Deno.test("the deletion of an account waits for a membership and a session on their way, and ends them", async () => {
  const user = await makeUser(test.db);
  const roomId = await makeRoom(test.db, await makeUser(test.db));
  const session = newSession(user.id);
  const [left] = await runBehind(
    async (db) => {
      await addMember(db, { roomId, userId: user.id, now: NOON }, NO_LIMITS);
      await createSession(db, session);
    },
    [() => deleteAccount(test.db, user.id, NOON)],
  );
  assert.deepEqual(left, [roomId]);
  const { revoked_at } = await test.db.selectFrom("sessions").selectAll()
    .where("id", "=", session.id).executeTakeFirstOrThrow();
  assert.notEqual(revoked_at, null);
});

Deno.test("a code that was asked for while the owner's first sign-in is on its way goes to the owner", async () => {
  const { id: userId } = await makeUser(test.db);
  const code = (codeHash: string, email: string) => ({
    userId,
    codeHash,
    email,
    expiresAt: after(600_000),
    now: NOON,
  });
  await replaceLoginCode(test.db, code("owner's", "owner@example.org"));
  const [address] = await runBehind(
    (db) => tryLoginCode(db, { userId, codeHash: "owner's", now: NOON }),
    [() =>
      replaceLoginCode(
        test.db,
        code("stranger's", "stranger@example.org"),
      )],
  );
  assert.deepEqual(address, { own: "owner@example.org", claimed: null });
});
