/** What a room may be called. */

import { z } from "@hono/zod-openapi";
import { codePointLength } from "../../text/code_points.ts";
import { visibleLength } from "../../text/fold.ts";
import { EXAMPLE } from "../docs/examples.ts";

/** Shortest and longest name after trimming, in Unicode code points; the shortest in those seen. */
const MIN_LENGTH = 3;
const MAX_LENGTH = 40;

/** Joiners and variation selectors: Persian and emoji need them beside characters that are seen. */
const HELPER = "\\u200c\\u200d\\p{Variation_Selector}";

/**
 * What a name must not contain, because it shows nothing or turns its neighbours around: control
 * and format characters (bidirectional controls, zero-width characters), line separators, private
 * code points, and characters without a glyph. Of the helpers a joiner may stand between two
 * characters that are seen, a variation selector after one.
 */
const UNSEEN = new RegExp(
  [
    "[\\p{Cc}\\p{Cs}\\p{Co}\\u2028\\u2029\\u2800\\u{1D159}]",
    `(?![${HELPER}])[\\p{Cf}\\p{Default_Ignorable_Code_Point}]`,
    `(?<![^\\s${HELPER}])\\p{Variation_Selector}`,
    "(?<![^\\s\\u200c\\u200d])[\\u200c\\u200d]",
    `[\\u200c\\u200d](?![^\\s${HELPER}])`,
  ].join("|"),
  "u",
);

export const RoomName = z.string().trim()
  .refine((name) => name.isWellFormed() && !UNSEEN.test(name), {
    message: "no control, bidirectional or zero-width characters",
  })
  .refine(
    (name) =>
      visibleLength(name) >= MIN_LENGTH &&
      codePointLength(name) <= MAX_LENGTH,
    { message: `${MIN_LENGTH} to ${MAX_LENGTH} characters` },
  )
  .openapi({
    minLength: MIN_LENGTH,
    maxLength: MAX_LENGTH,
    example: EXAMPLE.newRoomName,
  });
