/** How an address is shown, so that it reads as what it is. */

/** Scheme, name and password, host, and the rest. A browser takes any number of slashes and backslashes. */
const PARTS = /^(https?:[\/\\]+)?([^\/?#\\]*@)?(\[[^\]]*\]|[^\/?#\\:]*)(.*)$/is;

/** What is not seen or turns the text around it. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{DI}\u2800]/gu;

/**
 * A part of a host's name in the letters of one alphabet, which nobody takes for others: European
 * Latin without ı and ĸ; Cyrillic and Greek with a letter that Latin does not have in another form;
 * scripts that resemble no Latin. Everything else, mixtures too, is not plain.
 */
const PLAIN_LABEL =
  /^(?:[a-zß-öø-İĲ-ķĹ-ž\d-]+|(?=.*[бджзийлфцчшщыэюяєґђћџ])[\p{sc=Cyrl}\d-]+|(?=.*[βδζθλμξπσςφψ])[\p{sc=Grek}\d-]+|[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}ー\d-]+|[\p{sc=Hang}\d-]+|[\p{sc=Arab}\d-]+|[\p{sc=Hebr}\d-]+|[\p{sc=Deva}\d-]+|[\p{sc=Thai}\d-]+)$/u;

/**
 * What is shown of an address. Its host stands in the letters that were written only where these are
 * not mixed and look like no others, else as the browser asks for it (punycode); characters that are
 * not seen are percent-encoded.
 *
 * @param address of http or https, its scheme may be left out: `www.example.com`
 */
export function shownAddress(address: string): string {
  const [, scheme = "", user = "", host = "", rest = ""] =
    PARTS.exec(address) ?? [];
  const shown = shownHost(host, new URL(`https://${host}`).hostname);
  return scheme + encodeInvisible(user) + shown + encodeInvisible(rest);
}

/** @param hostname the same as the browser asks for it */
function shownHost(written: string, hostname: string): string {
  if (written.toLowerCase() === hostname) return written;
  const folded = written.toLowerCase().normalize("NFKC");
  const isPlain = hostname.includes("xn--") &&
    folded.split(".").every((label) => PLAIN_LABEL.test(label));
  return isPlain ? folded : hostname;
}

function encodeInvisible(text: string): string {
  return text.replace(INVISIBLE, encodeURIComponent);
}
