import assert from "node:assert/strict";
import { RoomName } from "./room_name.ts";

function accepts(schema: { safeParse(v: unknown): { success: boolean } }) {
  return (value: unknown) => schema.safeParse(value).success;
}

Deno.test("RoomName is trimmed and counted in code points", () => {
  assert.equal(RoomName.parse("  General \n"), "General");
  assert.equal(RoomName.parse("x".repeat(40)), "x".repeat(40));
  assert.equal(RoomName.parse("🚀".repeat(40)), "🚀".repeat(40));
  assert.equal(RoomName.parse("çğş"), "çğş");
  const bad = [
    "ab",
    "  ab  ",
    "x".repeat(41),
    "🚀".repeat(41),
    "   ",
    12345,
    null,
  ];
  assert.deepEqual(bad.filter(accepts(RoomName)), []);
});

Deno.test("RoomName refuses what shows nothing or turns its neighbours around", () => {
  const unseen = [
    "\0",
    "\x1b",
    "\n",
    "\x85",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u2028",
    "\u3164",
    "\u2800",
    "\u17b4",
    "\ufff0",
    "\u{1d159}",
    "\u{e0020}",
    "\ud800",
    "\ue000",
  ];
  assert.deepEqual(
    unseen.filter((character) => accepts(RoomName)(`abc${character}def`)),
    [],
  );
});

Deno.test("RoomName takes a joiner between two characters that are seen, and nowhere else", () => {
  const good = ["👨\u200d👩\u200d👧 family", "می\u200cخواهم"];
  assert.deepEqual(good.filter((name) => !accepts(RoomName)(name)), []);
  const bad = [
    "\u200dabc",
    "abc\u200d",
    "ab\u200c\u200dc",
    "abc \u200ddef",
    "abc\u200c def",
  ];
  assert.deepEqual(bad.filter(accepts(RoomName)), []);
});

Deno.test("RoomName takes a variation selector after a character that is seen, and counts only those", () => {
  const good = ["❤\ufe0f friends", "❤\ufe0f\u200d🔥 hot", "葛\u{e0100}の家"];
  assert.deepEqual(good.filter((name) => !accepts(RoomName)(name)), []);
  const bad = [
    "\ufe0fabc",
    "abc \ufe0fdef",
    "abc\ufe0f\ufe0f",
    "abc\u200d\ufe0fdef",
    "ab\ufe0f",
    "❤\ufe0f\u200d🔥",
  ];
  assert.deepEqual(bad.filter(accepts(RoomName)), []);
});
