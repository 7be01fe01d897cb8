/** Clients whose position lies before the oldest message that is kept. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { removeOldMessages } from "../../db/retention.ts";
import type { MessagePage } from "../../islands/client/api.ts";
import { RoomStore } from "../../islands/client/messages/room_store.ts";
import { syncRooms } from "../../islands/client/rooms/room_sync.ts";
import { startTestApp, type TestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { silentLog } from "../helpers/log.ts";
import { createRoom, type Person, signIn } from "../helpers/people.ts";

/** Stops the app, removes all but the newest `keep` messages, and starts it again in the same place. */
async function withRemoved(
  keep: number,
  run: (app: TestApp, alice: Person, roomId: string) => Promise<void>,
): Promise<void> {
  let lastMoment = 0;
  /** No two moments are the same, so that one lies between the removed messages and the kept ones. */
  const clock = () => lastMoment = Math.max(lastMoment + 1, Date.now());
  await using app = await startTestApp({ RATE_LIMIT_MESSAGES: "1000" }, {
    start: { clock },
  });
  const alice = await signIn(app, "alice");
  const { id: roomId } = await createRoom(alice);
  await using client = await connect(app, alice);
  for (let n = 1; n <= 10 - keep; n++) await say(client, roomId);
  const before = new Date(clock());
  for (let n = 0; n < keep; n++) await say(client, roomId);
  await app.stop();
  {
    await using db = await openDatabase(app.place, silentLog);
    assert.equal(await removeOldMessages(db, before, 100), 10 - keep);
  }
  await using again = await startTestApp({
    JWT_SECRET: await Deno.readTextFile(`${app.place.dataDir}/jwt_secret`),
  }, { place: app.place });
  await run(again, await signIn(again, "alice"), roomId);
}

const say = (client: TestClient, roomId: string) =>
  client.expect("message:send", {
    roomId,
    text: "hello",
    clientMsgId: crypto.randomUUID(),
  });

/** The browser's own store and sync, from a position, until it has caught up. */
async function catchUp(
  client: TestClient,
  person: Person,
  roomId: string,
  position: number,
): Promise<{ store: RoomStore; isSynced: boolean; calls: number }> {
  const store = new RoomStore(position);
  let calls = 0;
  const isSynced = await syncRooms(
    new Map([[roomId, {
      position: () => ({ roomId, lastSeq: store.position }),
      async reload() {
        store.reset(
          await person.getJson<MessagePage>(`/api/rooms/${roomId}/messages`),
        );
        return true;
      },
      caughtUp: () => {},
      skip: () => assert.fail("there is little to catch up with"),
      gone: () => assert.fail("the member was refused"),
    }]]),
    async (data) => {
      assert.ok(++calls < 5, "the sync does not come to an end");
      client.forget();
      const ack = await client.expect("rooms:sync", data);
      for (const each of client.all("message:new")) store.receive(each);
      return ack;
    },
  );
  return { store, isSynced, calls };
}

const seqsOf = (store: RoomStore) => store.messages.map(({ seq }) => seq);

Deno.test("a client that stands before the oldest kept message is told to load anew and is up to date then", async () => {
  await withRemoved(3, async (app, alice, roomId) => {
    await using client = await connect(app, alice);
    const { results: [result] } = await client.expect("rooms:sync", {
      rooms: [{ roomId, lastSeq: 4 }],
    });
    assert.equal(result?.reset, true);
    for (const position of [0, 4]) {
      const { store, isSynced } = await catchUp(
        client,
        alice,
        roomId,
        position,
      );
      assert.ok(isSynced);
      assert.deepEqual(seqsOf(store), [8, 9, 10]);
      assert.equal(store.position, 10);
    }
    for (const position of [7, 8, 10]) {
      const { store, calls } = await catchUp(client, alice, roomId, position);
      assert.equal(store.position, 10);
      assert.equal(calls, 1, `from ${position} nothing is missing`);
    }
    const rooms = await alice.getJson<{ unreadCount: number }[]>("/api/rooms");
    assert.equal(rooms[0]?.unreadCount, 0);
  });
});

Deno.test("a client finds its way in a room whose messages are all gone, and to the next one", async () => {
  await withRemoved(0, async (app, alice, roomId) => {
    await using client = await connect(app, alice);
    for (const position of [0, 4, 10]) {
      const { store, isSynced } = await catchUp(
        client,
        alice,
        roomId,
        position,
      );
      assert.ok(isSynced, `from ${position}`);
      assert.deepEqual(seqsOf(store), []);
    }
    const { store } = await catchUp(client, alice, roomId, 4);
    client.forget();
    const { seq } = await say(client, roomId);
    assert.equal(seq, 11);
    const message = await client.waitFor("message:new");
    assert.deepEqual(store.receive(message), [], "a jump is held");
    assert.ok(store.hasGap);
    const after = await catchUp(client, alice, roomId, store.position);
    assert.ok(after.isSynced);
    assert.deepEqual(seqsOf(after.store), [11]);
  });
});

Deno.test("history ends where the kept messages begin", async () => {
  await withRemoved(3, async (_, alice, roomId) => {
    const page = await alice.getJson<MessagePage>(
      `/api/rooms/${roomId}/messages?limit=2`,
    );
    assert.deepEqual(page.messages.map(({ seq }) => seq), [9, 10]);
    assert.ok(page.hasMore);
    const [first] = page.messages;
    const older = await alice.getJson<MessagePage>(
      `/api/rooms/${roomId}/messages?before=${first?.messageId}`,
    );
    assert.deepEqual(older.messages.map(({ seq }) => seq), [8]);
    assert.equal(older.hasMore, false);
  });
});
