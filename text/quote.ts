/** What a reply shows of the text it answers: for server and browser. */

/** A quoted text is cut after so many code points. */
export const MAX_QUOTE_LENGTH = 140;

/** A text as it is quoted, cut where it is long. */
export function quotedText(text: string): string {
  if (text.length <= MAX_QUOTE_LENGTH) return text;
  return [...text.slice(0, 2 * MAX_QUOTE_LENGTH)].slice(0, MAX_QUOTE_LENGTH)
    .join("");
}
