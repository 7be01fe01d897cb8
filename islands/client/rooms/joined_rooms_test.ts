import assert from "node:assert/strict";
import type { RoomPosition } from "../../../realtime/protocol/protocol.ts";
import { createApi, type Room } from "../api.ts";
import { FakeClock, message } from "../fakes.ts";
import { JoinedRooms } from "./joined_rooms.ts";
import { MemoryStorage } from "../storage/storage.ts";

const user = { id: "me", username: "me" };

function room(id: string): Room {
  return {
    id,
    name: id,
    createdAt: "2026-01-01T00:00:00.000Z",
    createdBy: user,
    memberCount: 1,
    isMember: true,
    lastSeq: 0,
    lastRev: 0,
    epoch: "",
  };
}

/** Rooms and a server that lists two of the user's rooms a page, as `ids` says at that moment. */
function setUp(ids: string[]) {
  const server = { ids, members: new Set(ids), onPage: () => {} };
  const synced: string[][] = [];
  const rooms = new JoinedRooms({
    user,
    storage: new MemoryStorage(),
    clock: new FakeClock(),
    api: createApi({
      base: "",
      fetch: (path) => {
        const first = Number(/cursor=(\d+)/.exec(String(path))?.[1] ?? 0);
        const answer = Response.json(
          server.ids.slice(first, first + 2).map(room),
        );
        if (first + 2 < server.ids.length) {
          const link = `</api/rooms?cursor=${first + 2}>; rel="next"`;
          answer.headers.set("link", link);
        }
        server.onPage();
        return Promise.resolve(answer);
      },
    }),
    sync: ({ rooms: asked }: { rooms: RoomPosition[] }) => {
      synced.push(asked.map(({ roomId }) => roomId));
      return Promise.resolve({
        success: true as const,
        results: asked.map(({ roomId }) => ({
          roomId,
          synced: server.members.has(roomId),
        })),
      });
    },
  });
  const list = () => rooms.list.map((state) => state.room.id);
  return { rooms, server, synced, list };
}

Deno.test("a refresh reads the list to its last page, follows what is new, and keeps the order", async () => {
  const { rooms, synced, list } = setUp(["a", "b", "c", "d", "e"]);
  for (const id of ["d", "b"]) rooms.add(room(id));
  await rooms.refresh();
  assert.deepEqual(list(), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(synced, [["a"], ["c"], ["e"]]);
});

Deno.test("a room that slips past between two pages stays, one that was left goes", async () => {
  const { rooms, server, list } = setUp(["a", "b", "c", "d"]);
  for (const id of ["left", "d", "c", "b", "a"]) rooms.add(room(id));
  server.onPage = () => {
    // Somebody writes in c after the first page was read.
    server.ids = ["c", "a", "b", "d"];
  };
  await rooms.refresh();
  assert.deepEqual(list(), ["a", "b", "c", "d"]);
});

Deno.test("a room that the client does not know yet is found when it slips past", async () => {
  const { rooms, server, list } = setUp(["a", "b", "c", "d"]);
  for (const id of ["b", "a"]) rooms.add(room(id));
  server.onPage = () => {
    // Somebody writes in d after the first page was read.
    server.ids = ["d", "a", "b", "c"];
  };
  await rooms.refresh();
  assert.deepEqual(list(), ["d", "a", "b", "c"]);
});

Deno.test("what changes while the list is read is read once more", async () => {
  const { rooms, server, list } = setUp(["a", "b", "c"]);
  server.onPage = () => {
    server.onPage = () => {};
    server.ids = ["new", ...server.ids];
    server.members.add("new");
    void rooms.refresh();
  };
  await rooms.refresh();
  assert.deepEqual(list(), ["new", "a", "b", "c"]);
});

Deno.test("rooms that are not open keep few messages, many of them none, and all keep their counts", () => {
  const ids = Array.from({ length: 60 }, (_, n) => `room ${n}`);
  const { rooms } = setUp(ids);
  const states = ids.map((id) => rooms.add(room(id)));
  for (const state of states) {
    for (let seq = 1; seq <= 120; seq++) rooms.receive(state, message(seq));
  }
  const held = states.map(({ store }) => store.messages.length);
  assert.deepEqual(held.slice(0, 20), Array(20).fill(0));
  assert.ok(held.every((count) => count <= 50), `${held}`);
  assert.ok(states.every(({ unread }) => unread === 120));
  assert.deepEqual([states[0]?.store.position, states[0]?.store.hasOlder], [
    120,
    true,
  ]);
});

Deno.test("the open room keeps 500 messages, and 50 when it is closed", () => {
  const { rooms } = setUp(["a"]);
  const state = rooms.add(room("a"));
  state.isLoaded = true;
  rooms.open(state);
  let most = 0;
  for (let seq = 1; seq <= 2000; seq++) {
    rooms.receive(state, message(seq));
    most = Math.max(most, state.store.messages.length);
  }
  assert.equal(most, 500);
  assert.equal(state.store.messages.at(-1)?.seq, 2000);
  rooms.close(state);
  assert.ok(state.store.messages.length <= 50);
  assert.equal(state.store.messages.at(-1)?.seq, 2000);
  assert.equal(state.isLoaded, true);
});

Deno.test("a room that was read far from its end is read anew when it is opened again", () => {
  const { rooms } = setUp(["a"]);
  const state = rooms.add(room("a"));
  state.isLoaded = true;
  rooms.open(state);
  for (let seq = 1; seq <= 300; seq++) rooms.receive(state, message(seq));
  state.reading = 10;
  for (let seq = 301; seq <= 900; seq++) rooms.receive(state, message(seq));
  assert.equal(state.store.messages[0]?.seq, 1);
  assert.equal(state.store.hasNewer, true);
  rooms.close(state);
  assert.deepEqual([state.store.messages.length, state.isLoaded], [0, false]);
  assert.equal(state.unread, 900);
});

Deno.test("skipping to the newest page leaves the unread count right, whoever reads older messages", () => {
  const { rooms } = setUp(["a"]);
  for (const reading of [undefined, 3]) {
    const state = rooms.add(room(`a ${reading}`));
    for (let seq = 1; seq <= 10; seq++) rooms.receive(state, message(seq));
    state.read(8, user);
    state.reading = reading;
    rooms.receive(state, message(10_001));
    const messages = Array.from({ length: 50 }, (_, n) => message(9_951 + n));
    state.skipTo(
      { messages, hasMore: true },
      { ...room("a"), lastSeq: 9_998, lastReadSeq: 8, unreadCount: 100 },
      user,
    );
    assert.deepEqual(
      [state.unread, state.store.position, state.firstUnreadSeq(user)],
      [101, 10_001, 9],
    );
    assert.equal(state.store.messages[0]?.seq, reading ? 1 : 9_951);
  }
});

Deno.test("a page of history that comes while its room is synced is brought up to date after that", async () => {
  const asked: RoomPosition[] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const rooms = new JoinedRooms({
    ...{ user, storage: new MemoryStorage(), clock: new FakeClock() },
    api: createApi({ base: "", fetch: () => Promise.reject(new Error()) }),
    sync: async ({ rooms: [position] }) => {
      asked.push(position!);
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      await answer.promise;
      const { roomId, lastSeq = 0 } = position!;
      return {
        success: true as const,
        results: [{ roomId, synced: true, lastSeq, lastRev: 7, epoch: "e" }],
      };
    },
  });
  const state = rooms.add({ ...room("a"), lastSeq: 1, lastRev: 5 });
  const synced = rooms.sync([state]);
  assert.equal(asked[0]?.lastRev, undefined, "nothing is held");
  rooms.load(state, {
    ...{ messages: [message(1)], hasMore: false, lastRev: 5, epoch: "e" },
  });
  answers[0]!.resolve();
  await synced;
  assert.deepEqual(
    [asked[1]?.lastRev, asked[1]?.fromSeq],
    [5, 1],
    "the changes after the page are asked for",
  );
  answers[1]!.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([state.store.rev, state.store.isStale], [7, false]);
  assert.equal(asked.length, 2);
});
