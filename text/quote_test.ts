import assert from "node:assert/strict";
import { MAX_QUOTE_LENGTH, quotedText } from "./quote.ts";

Deno.test("quotedText() cuts by code points and never through one", () => {
  assert.equal(quotedText("short"), "short");
  const long = "a".repeat(MAX_QUOTE_LENGTH + 1);
  assert.equal(quotedText(long), "a".repeat(MAX_QUOTE_LENGTH));
  const wide = "😀".repeat(MAX_QUOTE_LENGTH);
  assert.equal(quotedText(wide), wide);
  assert.equal(quotedText(`${wide}x`), wide);
  assert.equal(quotedText(`a${wide}`), `a${"😀".repeat(MAX_QUOTE_LENGTH - 1)}`);
});
