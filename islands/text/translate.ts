/** Fills in texts of the catalogue in one language. */

import type { Strings } from "../strings/en.ts";

export type Translate = (
  key: keyof Strings,
  values?: Record<string, string | number>,
) => string;

/**
 * Makes the function that gives a text by its key. A number `n` chooses the plural form and is
 * written the way the locale writes numbers.
 */
export function createTranslate(strings: Strings, locale: string): Translate {
  const plural = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  return (key, values = {}) => {
    const text = strings[key];
    const form = typeof text === "string"
      ? text
      : text[plural.select(Number(values.n)) === "one" ? "one" : "other"];
    return form.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name] ?? "";
      return typeof value === "number" ? number.format(value) : value;
    });
  };
}
