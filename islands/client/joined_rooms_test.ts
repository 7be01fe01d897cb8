import assert from "node:assert/strict";
import type { RoomPosition } from "../../realtime/protocol.ts";
import { createApi, type Room } from "./api.ts";
import { FakeClock } from "./fakes.ts";
import { JoinedRooms } from "./joined_rooms.ts";
import { MemoryStorage } from "./storage.ts";

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
    onChange: () => {},
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
