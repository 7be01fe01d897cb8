/** Every number of the checklist is tried by a case here, tested elsewhere, or does not apply. */

import assert from "node:assert/strict";

const CASES = 60;

/** Tested where the part is tested, because they need a setting of their own. */
const ELSEWHERE: Readonly<Record<number, string>> = {
  12: "tests/realtime/slow_reader_test.ts",
  13: "tests/front/slow_clients_test.ts",
  14: "tests/realtime/frames_test.ts",
};

/** Why a case does not apply. */
const NOT_OURS: Readonly<Record<number, string>> = {
  5: "TLS is ended, and http redirected, by the proxy in front",
  51: "every room is public: there are no private rooms to guess",
  56: "nothing is uploaded",
  57: "no links are previewed",
};

Deno.test("the security checklist has a test or a reason for each of its cases", async () => {
  const folder = new URL("./", import.meta.url);
  const tried = new Set<number>();
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, number] of text.matchAll(/^securityCase\(\s*(\d+),/gm)) {
      assert.ok(!tried.has(Number(number)), `${number} stands twice`);
      tried.add(Number(number));
    }
  }
  for (let number = 1; number <= CASES; number++) {
    const claims = [
      tried.has(number),
      number in ELSEWHERE,
      number in NOT_OURS,
    ].filter(Boolean).length;
    assert.equal(claims, 1, `case ${number}`);
  }
  for (const path of Object.values(ELSEWHERE)) {
    await Deno.stat(new URL(`../../${path}`, import.meta.url));
  }
});
