import assert from "node:assert/strict";
import { foldForSearch, nameKey, visibleLength } from "./fold.ts";

const NAMES = [
  ["ÉCOLE", "e\u0301cole"],
  ["ＦＵＬＬ", "full"],
  ["ΣΑΣ", "σας"],
  ["STRASSE", "straße"],
  ["STRAẞE", "straße"],
  ["İSTANBUL", "istanbul"],
  ["IŞIK", "ışık"],
  ["gen\u200deral", "general"],
  ["Lobby\ufe0f", "lobby"],
  ["e\u034f\u0301cole", "école"],
  ["Tea  Room", "tea\u00a0room"],
] as const;

Deno.test("nameKey() is one for names that look alike, and keeps accents", () => {
  for (const [one, other] of NAMES) assert.equal(nameKey(one), nameKey(other));
  for (const [one, other] of [["a b", "ab"], ["école", "ecole"]] as const) {
    assert.notEqual(nameKey(one), nameKey(other));
  }
});

Deno.test("nameKey() and foldForSearch() change nothing when they run again", () => {
  for (
    const text of [
      ...NAMES.flat(),
      "\u2800",
      "a\u034f\u{e0100}",
      "Łódź",
      "ﷺ",
      "ǰ",
      "ŉ",
    ]
  ) {
    for (const fold of [nameKey, foldForSearch]) {
      assert.equal(fold(fold(text)), fold(text), text);
    }
  }
});

Deno.test("foldForSearch() finds a text without regard to case, accents, width and the Turkish i", () => {
  for (
    const [text, query] of [
      ["İSTANBUL", "ıstan"],
      ["Isparta", "ısp"],
      ["Crème brûlée", "CREME BRULEE"],
      ["creme", "crème"],
      ["Straße", "STRASS"],
      ["Łódź", "lodz"],
      ["Smørrebrød", "smorre"],
      ["Tiếng Việt", "tieng viet"],
      ["ＦＵＬＬ", "ull"],
      ["Ёлка", "елка"],
      ["我家在上海东边", "上海"],
      ["한국어", "국"],
    ] as const
  ) {
    const found = foldForSearch(text).includes(foldForSearch(query));
    assert.ok(found, `${query} in ${text}`);
  }
  // Marks that make another letter are no accents.
  assert.notEqual(foldForSearch("が"), foldForSearch("か"));
  assert.notEqual(foldForSearch("कि"), foldForSearch("का"));
});

Deno.test("visibleLength() counts code points that are seen", () => {
  assert.equal(visibleLength("Lobby\ufe0f"), 5);
  assert.equal(visibleLength("👨\u200d👩\u200d👧"), 3);
});
