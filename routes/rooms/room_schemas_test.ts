import assert from "node:assert/strict";
import { RoomListQuery } from "./room_schemas.ts";

function accepts(schema: { safeParse(v: unknown): { success: boolean } }) {
  return (value: unknown) => schema.safeParse(value).success;
}

Deno.test("RoomListQuery refuses repeated parameters, NUL and unknown values of all", () => {
  const bad = [
    { all: "1" },
    { all: ["true", "true"] },
    { q: "a\0b" },
    { q: "x".repeat(101) },
    { q: ["a", "b"] },
    { limit: "1000000000" },
  ];
  assert.deepEqual(bad.filter(accepts(RoomListQuery)), []);
  assert.ok(accepts(RoomListQuery)({ all: "true", q: "%_' or 1=1 --" }));
});
