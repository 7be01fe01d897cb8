/** What of a text is seen: the same for the server and the browser. */

/** What shows nothing, whatever stands beside it. */
const INVISIBLE =
  /[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/u;

const ALL_INVISIBLE = new RegExp(`^${INVISIBLE.source}*$`, "u");

/** What Unicode says is not drawn where it means nothing. */
export const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Whether a text shows nothing: it is empty, or all white space and invisible characters. */
export function isBlank(text: string): boolean {
  return ALL_INVISIBLE.test(text);
}

/** Length of a text in Unicode code points, those left out that are drawn as nothing. */
export function visibleLength(text: string): number {
  return [...text.replace(IGNORABLE, "")].length;
}
