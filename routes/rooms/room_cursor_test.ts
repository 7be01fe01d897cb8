import assert from "node:assert/strict";
import type { RoomRow } from "../../db/rooms.ts";
import { decodeRoomCursor, encodeRoomCursor } from "./room_cursor.ts";

const ID = "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a";

function encodeParts(parts: unknown): string {
  return new TextEncoder().encode(JSON.stringify(parts)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

Deno.test("decodeRoomCursor() reads what encodeRoomCursor() wrote, to the millisecond", () => {
  const last = {
    id: ID,
    last_activity_at: new Date("2026-03-01T12:00:00.123Z"),
  } as RoomRow;
  const cursor = encodeRoomCursor(last);
  assert.match(cursor, /^[\w-]+$/);
  assert.deepEqual(decodeRoomCursor(cursor), {
    lastActivityAt: last.last_activity_at,
    id: ID,
  });
});

Deno.test("decodeRoomCursor() gives undefined for anything else", () => {
  const bad = [
    "",
    "x",
    "!!!",
    "{}",
    encodeParts(null),
    encodeParts([]),
    encodeParts([1]),
    encodeParts([1, "no id"]),
    encodeParts([1e300, ID]),
    encodeParts(["1", ID]),
    encodeParts([-1, ID]),
    encodeParts([1, ID, 2]),
    "A".repeat(50_000),
  ];
  assert.deepEqual(bad.filter((cursor) => decodeRoomCursor(cursor)), []);
});
