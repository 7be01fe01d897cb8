/** Finds links in plain text, in linear time. */

export type TextPart = { readonly text: string; readonly href?: string };

/** Only these become links; `javascript:` and its kind stay text. */
const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"“”«»]+/gi;

const TRAILING = new Set(".,;:!?'’…*_~");
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/**
 * Splits a text into plain parts and links. Punctuation that ends a sentence is no part of the link,
 * nor is a closing bracket whose opening one stands before it.
 */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const href = trimEnd(match[0]);
    if (!URL.canParse(href)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: href, href });
    end = match.index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function trimEnd(link: string): string {
  const counts: Record<string, number> = {};
  for (const character of link) {
    counts[character] = (counts[character] ?? 0) + 1;
  }
  let end = link.length;
  for (; end > 0; end--) {
    const last = link[end - 1] ?? "";
    const opening = BRACKETS[last];
    const isUnbalanced = opening !== undefined &&
      (counts[last] ?? 0) > (counts[opening] ?? 0);
    if (!TRAILING.has(last) && !isUnbalanced) break;
    counts[last] = (counts[last] ?? 0) - 1;
  }
  return link.slice(0, end);
}

/** Whether a text is a few emoji and nothing else. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 32 &&
    /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(text) &&
    /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d\ufe0f\s]+$/u
      .test(text);
}
