/** How people and rooms are told apart at a glance: initials and a colour made from the name. */

/** So many colours the styles know: `hue-0` and on. */
export const HUES = 8;

/** The first letters, in upper case: of two words, or of the one there is. */
export function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter(Boolean);
  const letters = words.length > 1
    ? words.slice(0, 2).map((word) => [...word][0])
    : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

/** A class for the colour of a name: always the same for the same name. */
export function hueClass(name: string): string {
  let hash = 0;
  for (const character of name.toLowerCase()) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  }
  return `hue-${hash % HUES}`;
}
