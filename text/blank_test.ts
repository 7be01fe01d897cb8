import assert from "node:assert/strict";
import { isBlank } from "./blank.ts";

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
