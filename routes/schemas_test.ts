import assert from "node:assert/strict";
import { limitUpTo } from "./schemas.ts";

function accepts(schema: { safeParse(v: unknown): { success: boolean } }) {
  return (value: unknown) => schema.safeParse(value).success;
}

Deno.test("limitUpTo() takes whole numbers from 1 to 100 in plain digits", () => {
  const Limit = limitUpTo(100);
  assert.equal(Limit.parse("1"), 1);
  assert.equal(Limit.parse("100"), 100);
  const bad = ["0", "-1", "101", "1e3", "0x10", "1.5", "", " 5", "NaN", "007"];
  assert.deepEqual([...bad, ["5", "6"], 5].filter(accepts(Limit)), []);
});
