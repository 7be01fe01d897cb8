import assert from "node:assert/strict";
import { LoginCode, Username } from "./login_schemas.ts";

function accepts(schema: { safeParse(v: unknown): { success: boolean } }) {
  return (value: unknown) => schema.safeParse(value).success;
}

Deno.test("Username takes 3 to 20 letters, digits and underscores, and folds case", () => {
  assert.equal(Username.parse("Alice_01"), "alice_01");
  assert.equal(Username.parse("A".repeat(20)), "a".repeat(20));
  const bad = [
    "ab",
    "a".repeat(21),
    "",
    "al ice",
    " alice",
    "alice\n",
    "аdmin", // Cyrillic а
    "ad\u200bmin",
    "ａｌｉｃｅ",
    "ali-ce",
    "alice\0",
    null,
    7,
    ["alice"],
    { toString: "alice" },
  ];
  assert.deepEqual(bad.filter(accepts(Username)), []);
});

Deno.test("LoginCode takes six ASCII digits and nothing else", () => {
  assert.equal(LoginCode.parse("000123"), "000123");
  const bad = [
    " 123456 ",
    "12345",
    "1234567",
    "１２３４５６",
    "123456\0",
    "123456\n",
    123456,
    ["123456"],
    "12345a",
  ];
  assert.deepEqual(bad.filter(accepts(LoginCode)), []);
});
