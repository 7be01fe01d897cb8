/**
 * Theme, language, the typing line and the way out: plain forms, drawn by the server alone. They change seldom, and
 * each of them leads to a new page anyway; so the script need not know them.
 */

import type { PageLanguage, Theme, TypingLine } from "../page_props.ts";
import type { Translate } from "../text/translate.ts";
import { Icon } from "./icon.tsx";

const THEMES = [
  ["system", "themeSystem"],
  ["light", "themeLight"],
  ["dark", "themeDark"],
] as const;

const LANGUAGES = [["en", "English"], ["tr", "Türkçe"]] as const;

const TYPING_LINES = [
  ["shown", "typingShown"],
  ["hidden", "typingHidden"],
] as const;

export function AccountMenu(
  { t, lang, theme, typing }: {
    t: Translate;
    lang: PageLanguage["lang"];
    theme: Theme;
    typing: TypingLine;
  },
) {
  return (
    <>
      <button
        type="button"
        class="icon-button settings"
        aria-label={t("account")}
        title={t("account")}
        popovertarget="settings"
      >
        <Icon name="settings" />
      </button>
      <form
        id="settings"
        popover
        class="menu"
        method="post"
        action="/preferences"
      >
        <fieldset>
          <legend>{t("theme")}</legend>
          {THEMES.map(([value, label]) => (
            <button
              type="submit"
              name="theme"
              value={value}
              aria-pressed={`${theme === value}`}
            >
              {t(label)}
            </button>
          ))}
        </fieldset>
        <fieldset>
          <legend>{t("language")}</legend>
          {LANGUAGES.map(([value, label]) => (
            <button
              type="submit"
              name="lang"
              value={value}
              lang={value}
              aria-pressed={`${lang === value}`}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <fieldset>
          <legend>{t("typingLine")}</legend>
          {TYPING_LINES.map(([value, label]) => (
            <button
              type="submit"
              name="typing"
              value={value}
              aria-pressed={`${typing === value}`}
            >
              {t(label)}
            </button>
          ))}
        </fieldset>
      </form>
      <form method="post" action="/logout">
        <button
          type="submit"
          class="icon-button"
          aria-label={t("logOut")}
          title={t("logOut")}
        >
          <Icon name="logOut" />
        </button>
      </form>
    </>
  );
}
