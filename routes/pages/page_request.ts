/** What a request for a page says about its reader: language, theme, time zone. */

import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { parseAccept } from "hono/utils/accept";
import { isTimeZone } from "../../islands/client/browser.ts";
import type {
  PageLanguage,
  Theme,
  TypingLine,
} from "../../islands/page_props.ts";
import { en } from "../../islands/strings/en.ts";
import { tr } from "../../islands/strings/tr.ts";

/** Cookies that the page's script writes too. */
export const THEME_COOKIE = "chatket_theme";
export const LANGUAGE_COOKIE = "chatket_lang";
export const TYPING_COOKIE = "chatket_typing";
const TIME_ZONE_COOKIE = "chatket_tz";

const CATALOGUES = { en, tr };
const THEMES: readonly Theme[] = ["light", "dark", "system"];

/** The chosen language, else the first of the browser's that there is a catalogue for. */
export function pageLanguage(c: Context): PageLanguage {
  const accepted = acceptedLocales(c.req.header("accept-language") ?? "");
  const lang = asLanguage(getCookie(c, LANGUAGE_COOKIE)) ??
    accepted.map(baseOf).map(asLanguage).find(Boolean) ?? "en";
  const locale = accepted.find((tag) => baseOf(tag) === lang) ?? lang;
  return {
    lang,
    locale: withHourCycle(locale, accepted),
    strings: CATALOGUES[lang],
  };
}

/**
 * The locale with the clock that the reader is used to: who reads English for want of German counts to
 * 24 all the same.
 */
function withHourCycle(locale: string, accepted: readonly string[]): string {
  const [first = locale] = accepted;
  // `en` alone says nothing of the country; `en-GB` behind it does.
  const home =
    accepted.find((tag) =>
      tag.includes("-") && baseOf(tag) === baseOf(first)
    ) ?? first;
  return countsTo24(locale) || !countsTo24(home)
    ? locale
    : new Intl.Locale(locale, { hourCycle: "h23" }).toString();
}

function countsTo24(locale: string): boolean {
  const format = new Intl.DateTimeFormat(locale, { hour: "numeric" });
  return !format.resolvedOptions().hour12;
}

/** `system` unless the reader has chosen. */
export function pageTheme(c: Context): Theme {
  return asTheme(getCookie(c, THEME_COOKIE)) ?? "system";
}

/** Whether the reader wants to see who is typing: `hidden` or, unless chosen, `shown`. */
export function pageTyping(c: Context): TypingLine {
  return asTypingLine(getCookie(c, TYPING_COOKIE)) ?? "shown";
}

/** The browser's time zone from its cookie, else UTC. */
export function pageTimeZone(c: Context): string {
  const timeZone = getCookie(c, TIME_ZONE_COOKIE) ?? "UTC";
  return isTimeZone(timeZone) ? timeZone : "UTC";
}

export function asLanguage(value: unknown): "en" | "tr" | undefined {
  return value === "en" || value === "tr" ? value : undefined;
}

export function asTheme(value: unknown): Theme | undefined {
  return THEMES.find((theme) => theme === value);
}

export function asTypingLine(value: unknown): TypingLine | undefined {
  return value === "shown" || value === "hidden" ? value : undefined;
}

/** The well-formed tags of an `Accept-Language` header, most wanted first. */
function acceptedLocales(header: string): string[] {
  return parseAccept(header).filter(({ type, q }) => q > 0 && isLocale(type))
    .map(({ type }) => type);
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

function baseOf(tag: string): string {
  return tag.split("-")[0]?.toLowerCase() ?? "";
}
