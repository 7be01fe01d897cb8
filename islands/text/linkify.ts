/** Finds links in plain text, in linear time. */

export interface TextPart {
  /** What is shown: the text itself, but for characters that would disguise an address. */
  readonly text: string;
  readonly href?: string;
}

/**
 * An address with its scheme (only these: `javascript:` and its kind stay text) or one that begins
 * with `www.`, up to a space, a quote, or a bracket or mark of another script, which people write
 * right behind it; then an e-mail address. Both may stand right behind a word of another script.
 */
const LINK =
  /(?:(?<![A-Za-z0-9])(?:[Hh]ttps?|HTTPS?):\/\/|(?<![A-Za-z0-9.@\/\-])(?:[Ww]ww|WWW)\.(?=[^.]+\.[^.]))[^\s<>"`[[\p{Terminal_Punctuation}\p{Ps}\p{Pe}\p{Pi}\p{Pf}]--[\p{ASCII}’]]]+|(?<![A-Za-z0-9.+@\/\-])(?:[Mm]ailto:)?[A-Za-z0-9][\w.+\-]{0,63}@(?:[A-Za-z0-9\-]{1,63}\.)+[A-Za-z]{2,63}(?![A-Za-z0-9\-])/gv;

/** An address that reads as what it is: its host ends in letters, and there are no others than ASCII's. */
const PLAIN = /^(https?:\/\/)?[a-z\d.\-]+\.[a-z]+(:\d+)?([\/?#][!-~]*)?$/i;

/** What ends a sentence or a piece of markup rather than an address; then what is not seen (`DI`: ignorable). */
const TRAILING = /^[.,;:!?'’…*_~\p{Cf}\p{DI}]$/u;
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/**
 * Splits a text into plain parts and links. Punctuation that ends a sentence is no part of the link,
 * nor is a closing bracket whose opening one stands before it.
 *
 * @param show what is shown of an address that is of more than plain ASCII letters, see `shownAddress`
 */
export function linkify(
  text: string,
  show: (address: string) => string,
): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimEnd(match[0]);
    const part = asLink(link, show);
    if (part === undefined) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push(part);
    end = match.index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function asLink(
  link: string,
  show: (address: string) => string,
): TextPart | undefined {
  if (/^mailto:/i.test(link)) return { text: link, href: link };
  const hasScheme = /^https?:/i.test(link);
  // The address of a page may hold an @, too.
  if (!hasScheme && !/^www\./i.test(link)) {
    return { text: link, href: `mailto:${link}` };
  }
  const href = hasScheme ? link : `https://${link}`;
  if (!URL.canParse(href)) return undefined;
  return { text: PLAIN.test(link) ? link : show(link), href };
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
    if (!TRAILING.test(last) && !isUnbalanced) break;
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
