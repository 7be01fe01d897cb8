import assert from "node:assert/strict";
import { foldForSearch, isBlank, nameKey, visibleLength } from "./text.ts";

// deno-fmt-ignore
const INVISIBLE = [
  // C0 and C1 controls.
  "\u0001", "\u0007", "\t", "\n", "\u001f", "\u007f", "\u0080", "\u0085", "\u009f",
  // Spaces of other scripts and widths.
  "\u00a0", "\u1680", "\u2003", "\u2028", "\u3000", "\u2800", "\u{1d159}",
  // Format characters, fillers, joiners, bidirectional controls.
  "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180e",
  "\u200b", "\u200c", "\u200d", "\u200f", "\u202e", "\u2060", "\u2065", "\u2066",
  "\u3164", "\ufeff", "\uffa0", "\ufff0", "\u{1bca0}", "\u{1d173}", "\u{e0001}",
  "\u{e0020}", "\u{e0fff}",
  // Variation selectors.
  "\u180b", "\u180f", "\ufe00", "\ufe0f", "\u{e0100}", "\u{e01ef}",
];

Deno.test("isBlank() counts what is not seen as nothing, alone and mixed", () => {
  const codes = (texts: string[]) =>
    texts.map((text) => text.codePointAt(0)?.toString(16));
  assert.deepEqual(codes(INVISIBLE.filter((text) => !isBlank(text))), []);
  assert.ok(isBlank(""));
  assert.ok(isBlank(INVISIBLE.join("")));
  assert.ok(isBlank("\u2800\ufe0f"));
});

Deno.test("isBlank() finds what is seen, whatever stands around it", () => {
  const seen = [
    "a",
    ".",
    "❤\ufe0f",
    "👨\u200d👩\u200d👧",
    "한",
    "\u0301",
    "😀",
  ];
  for (const text of seen) {
    assert.ok(!isBlank(text), text);
    assert.ok(!isBlank(`\u202e${text}\u200b`), text);
  }
});

Deno.test("visibleLength() counts code points that are seen", () => {
  assert.equal(visibleLength("Lobby\ufe0f"), 5);
  assert.equal(visibleLength("👨\u200d👩\u200d👧"), 3);
});

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
  for (const text of [...NAMES.flat(), ...INVISIBLE, "Łódź", "ﷺ", "ǰ", "ŉ"]) {
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
