/** Several processes that store at the same moment: on one connection, as the embedded database has, they cannot. */

import assert from "node:assert/strict";
import { useTestDatabase } from "../tests/helpers/database.ts";
import {
  makeRoom,
  makeUser,
  newMessage,
  NOON,
} from "../tests/helpers/records.ts";
import { listAfter, storeMessages } from "./messages.ts";

const test = useTestDatabase();

const ROOMS = 10;
const WRITERS = 4;
const BATCHES = 40;

Deno.test("batches of several processes over the same rooms, in whatever order, do not wait for each other in a circle", async () => {
  const user = await makeUser(test.db);
  const roomIds: string[] = [];
  for (let made = 0; made < ROOMS; made++) {
    roomIds.push(await makeRoom(test.db, user));
  }
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    // A deadlock fails the statement; nobody here would try it again.
    for (let batch = 0; batch < BATCHES; batch++) {
      const ordered = writer % 2 === 0 ? roomIds : roomIds.toReversed();
      await storeMessages(
        test.db,
        ordered.map((roomId) => newMessage(roomId, user.id)),
        NOON,
      );
    }
  });
  await Promise.all(writers);
  for (const roomId of roomIds) {
    const rows = await listAfter(test.db, roomId, 0, WRITERS * BATCHES + 1);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      Array.from({ length: WRITERS * BATCHES }, (_, index) => index + 1),
    );
  }
});
