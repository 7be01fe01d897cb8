/** How texts are folded so that they can be compared and searched: the same for server and browser. */

/** What Unicode says is not drawn where it means nothing. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Length of a text in Unicode code points, those left out that are drawn as nothing. */
export function visibleLength(text: string): number {
  return [...text.replace(IGNORABLE, "")].length;
}

/**
 * The key under which two names are the same name: without regard to case, width, the amount of white
 * space and invisible characters, and to what only one language tells apart (ß and ss, ς and σ, the i
 * with and without its dot). Accents make a difference.
 */
export function nameKey(name: string): string {
  return name.normalize("NFKD").replace(IGNORABLE, "").normalize("NFKC")
    // Down first: ẞ has no other upper case, ß has SS.
    .toLowerCase().toUpperCase().toLowerCase()
    .replaceAll("i\u0307", "i").replaceAll("ς", "σ")
    .replace(/\s+/g, " ").trim();
}

/** Letters that differ from another by a stroke or are two in one, which Unicode does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ħ: "h",
  ł: "l",
  ŧ: "t",
  þ: "th",
};

/**
 * A text as it is searched: like {@link nameKey}, and without accents. A text is found when its folded
 * form contains the folded query.
 */
export function foldForSearch(text: string): string {
  return nameKey(text).normalize("NFD").replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC").replace(
      /[æœøđðħłŧþ]/g,
      (letter) => LETTERS[letter] ?? "",
    );
}
