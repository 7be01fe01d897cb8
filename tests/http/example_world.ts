/** The world of the documents' examples, as rows of a database. */

import { type Database, openDatabase } from "../../db/engine/database.ts";
import { migrate } from "../../db/engine/migrate.ts";
import { addMember } from "../../db/memberships.ts";
import { storeMessages } from "../../db/messages.ts";
import { createRoom } from "../../db/rooms.ts";
import { createSession } from "../../db/sessions.ts";
import { findOrCreateUser } from "../../db/users.ts";
import { EXAMPLE } from "../../routes/docs/examples.ts";
import {
  type EnvOverrides,
  startTestApp,
  type TestApp,
} from "../helpers/app.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import { NO_LIMITS } from "../helpers/records.ts";

/** Of the user beside the one of the examples. */
export const HOST = {
  id: "5e0f1a2b-3c4d-4e5f-8a6b-7c8d9e0f1a2b",
  username: "host",
};

/** Starts the app on a database that holds what the examples speak of. */
export async function startExampleApp(
  overrides: EnvOverrides = {},
): Promise<TestApp> {
  const place = await makeMigratedPlace();
  try {
    await using db = await openDatabase(place, silentLog);
    await migrate(db);
    await fill(db);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
  const app = await startTestApp(overrides, { place });
  return {
    ...app,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function fill(db: Database): Promise<void> {
  const now = new Date(EXAMPLE.time);
  const { user, roomId, roomName } = EXAMPLE;
  for (const each of [HOST, user]) await findOrCreateUser(db, each, now);
  await createRoom(db, {
    ...{ id: roomId, name: roomName, createdBy: user.id, now },
  }, NO_LIMITS);
  await addMember(db, { roomId, userId: HOST.id, now }, NO_LIMITS);
  for (let seq = 1; seq <= EXAMPLE.lastSeq; seq++) {
    const isLast = seq === EXAMPLE.lastSeq;
    await storeMessages(db, [{
      id: isLast ? EXAMPLE.messageId : crypto.randomUUID(),
      roomId,
      userId: isLast ? user.id : HOST.id,
      clientMsgId: crypto.randomUUID(),
      text: EXAMPLE.text,
    }], now);
  }
  await createSession(db, {
    id: EXAMPLE.sessionId,
    userId: user.id,
    refreshHash: "of no token",
    userAgent: "",
    now: new Date(),
    expiresAt: new Date(Date.now() + 3_600_000),
  });
}
