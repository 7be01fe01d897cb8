import assert from "node:assert/strict";
import { MAX_FRAME_BYTES } from "../../../realtime/protocol/limits.ts";
import type {
  RoomPosition,
  SyncResult,
} from "../../../realtime/protocol/protocol.ts";
import {
  firstSyncSize,
  type SyncCall,
  type SyncedRoom,
  syncRooms,
} from "./room_sync.ts";

/** A server with so many messages a room, replaying `page` at a time. */
function fakeServer(lastSeqs: Record<string, number>, page: number) {
  const asked: RoomPosition[][] = [];
  const positions = new Map<string, number>();
  const gone: string[] = [];
  const reloaded: string[] = [];
  const skipped: string[] = [];
  const rooms = new Map<string, SyncedRoom>(
    Object.keys(lastSeqs).map((roomId) => [roomId, {
      position: () => ({ roomId, lastSeq: positions.get(roomId) ?? 0 }),
      reload: () => {
        reloaded.push(roomId);
        positions.set(roomId, lastSeqs[roomId] ?? 0);
        return Promise.resolve(true);
      },
      skip: () => {
        skipped.push(roomId);
        positions.set(roomId, lastSeqs[roomId] ?? 0);
        return Promise.resolve(true);
      },
      gone: () => gone.push(roomId),
      caughtUp: () => {},
    }]),
  );
  const replay = ({ roomId, lastSeq = 0 }: RoomPosition): SyncResult => {
    const end = lastSeqs[roomId] ?? -1;
    if (end < 0) return { roomId, synced: false };
    if (lastSeq > end) {
      return {
        roomId,
        synced: true,
        reset: true,
        messageCount: 0,
        hasMore: false,
        lastSeq: end,
      };
    }
    const reached = Math.min(end, lastSeq + page);
    positions.set(roomId, reached);
    return {
      roomId,
      synced: true,
      messageCount: reached - lastSeq,
      hasMore: reached < end,
      lastSeq: reached,
    };
  };
  const call: SyncCall = ({ rooms }) => {
    asked.push(rooms);
    return Promise.resolve({ success: true, results: rooms.map(replay) });
  };
  return { rooms, call, asked, positions, gone, reloaded, skipped };
}

Deno.test("syncRooms() follows hasMore to the end, asking only for rooms with more", async () => {
  const { rooms, call, asked, positions } = fakeServer(
    { long: 250, short: 3 },
    100,
  );
  assert.equal(await syncRooms(rooms, call), true);
  assert.deepEqual([...positions], [["long", 250], ["short", 3]]);
  assert.deepEqual(asked.map((batch) => batch.map(({ roomId }) => roomId)), [
    ["long", "short"],
    ["long"],
    ["long"],
  ]);
});

Deno.test("syncRooms() goes on from the newest page after 500 messages of a room, and replays the others", async () => {
  const { rooms, call, asked, positions, skipped } = fakeServer(
    { endless: 100_000, long: 499 },
    100,
  );
  assert.equal(await syncRooms(rooms, call), true);
  assert.deepEqual(skipped, ["endless"]);
  assert.deepEqual([...positions], [["endless", 100_000], ["long", 499]]);
  // The last time for what came meanwhile.
  assert.equal(asked.length, 6);
});

Deno.test("syncRooms() drops rooms that are not ours any more and syncs the others", async () => {
  const { rooms, call, gone, positions } = fakeServer(
    { lost: -1, ours: 2 },
    100,
  );
  assert.equal(await syncRooms(rooms, call), true);
  assert.deepEqual(gone, ["lost"]);
  assert.equal(positions.get("ours"), 2);
});

Deno.test("syncRooms() reloads a room whose history was reset, then syncs it again", async () => {
  const { rooms, call, asked, positions, reloaded } = fakeServer(
    { room: 5 },
    100,
  );
  positions.set("room", 900);
  assert.equal(await syncRooms(rooms, call), true);
  assert.deepEqual(reloaded, ["room"]);
  assert.equal(asked.length, 2);
});

Deno.test("syncRooms() asks for as many rooms at once as fit into a frame", async () => {
  const ids = Array.from({ length: 450 }, () => crypto.randomUUID());
  const { rooms, asked, ...server } = fakeServer(
    Object.fromEntries(ids.map((id) => [id, 0])),
    100,
  );
  const frames: string[] = [];
  const call: SyncCall = (data) => {
    const lastSeenAt = "2026-03-01T12:00:00.000Z";
    const rooms = data.rooms.map((room) => ({
      ...room,
      lastSeenAt,
      lastSeq: Number.MAX_SAFE_INTEGER,
    }));
    frames.push(
      JSON.stringify({ id: 1, event: "rooms:sync", data: { rooms } }),
    );
    return server.call(data);
  };
  assert.equal(await syncRooms(rooms, call), true);
  assert.deepEqual(asked.flat().map(({ roomId }) => roomId), ids);
  for (const frame of frames) assert.ok(frame.length <= MAX_FRAME_BYTES);
});

Deno.test("syncRooms() is false when messages the server counted did not arrive", async () => {
  const { rooms } = fakeServer({ room: 5 }, 100);
  const call: SyncCall = () =>
    Promise.resolve({
      success: true,
      results: [{
        roomId: "room",
        synced: true,
        messageCount: 5,
        hasMore: false,
        lastSeq: 5,
      }],
    });
  assert.equal(await syncRooms(rooms, call), false);
});

Deno.test("syncRooms() is false when the server does not answer", async () => {
  const { rooms } = fakeServer({ room: 5 }, 100);
  const call: SyncCall = () =>
    Promise.resolve({ success: false, code: "timed_out", error: "timed_out" });
  assert.equal(await syncRooms(rooms, call), false);
});

Deno.test("syncRooms() asks for fewer rooms after a try that failed, and for more again when it works", async () => {
  const ids = Array.from({ length: 100 }, (_, n) => `room ${n}`);
  const { rooms, asked, ...server } = fakeServer(
    Object.fromEntries(ids.map((id) => [id, 0])),
    100,
  );
  const size = firstSyncSize();
  let isAway = true;
  const call: SyncCall = (data) => {
    if (!isAway) return server.call(data);
    asked.push(data.rooms);
    const code = "timed_out";
    return Promise.resolve({ success: false, code, error: code });
  };
  assert.equal(await syncRooms(rooms, call, size), false);
  assert.equal(await syncRooms(rooms, call, size), false);
  isAway = false;
  assert.equal(await syncRooms(rooms, call, size), true);
  assert.deepEqual(asked.map(({ length }) => length), [
    100,
    25,
    7,
    14,
    28,
    51,
  ]);
});
