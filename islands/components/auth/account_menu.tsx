/**
 * Theme, language, the typing line and the way out: plain forms, drawn by the server alone. They change seldom, and
 * each of them leads to a new page anyway; so the script need not know them.
 */

import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import type { PageLanguage, Theme, TypingLine } from "../../page_props.ts";
import type { Translate } from "../../text/translate.ts";
import { Icon } from "../icon.tsx";

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
  { t, user, lang, theme, typing }: {
    t: Translate;
    /** For whom the page is drawn. */
    user: UserRef;
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
        <Choice
          name="theme"
          legend={t("theme")}
          options={THEMES.map(([value, label]) => ({ value, label: t(label) }))}
          chosen={theme}
        />
        <Choice
          name="lang"
          legend={t("language")}
          options={LANGUAGES.map(([lang, label]) => ({
            value: lang,
            label,
            lang,
          }))}
          chosen={lang}
        />
        <Choice
          name="typing"
          legend={t("typingLine")}
          options={TYPING_LINES.map(([value, label]) => ({
            value,
            label: t(label),
          }))}
          chosen={typing}
        />
      </form>
      <button
        type="button"
        class="icon-button"
        aria-label={t("logOut")}
        title={t("logOut")}
        popovertarget="log-out"
      >
        <Icon name="logOut" />
      </button>
      <div
        id="log-out"
        popover
        class="menu"
        role="dialog"
        aria-labelledby="log-out-title"
      >
        <h2 id="log-out-title">{t("logOutTitle")}</h2>
        <p>{t("logOutLead")}</p>
        <form
          class="dialog-buttons"
          method="post"
          action={`/logout?user=${user.id}`}
        >
          <button
            type="button"
            autofocus
            popovertarget="log-out"
            popovertargetaction="hide"
          >
            {t("cancel")}
          </button>
          <button type="submit">{t("logOut")}</button>
        </form>
      </div>
    </>
  );
}

/** One setting: a button for each of its values, which sends the form. */
function Choice(
  { name, legend, options, chosen }: {
    name: string;
    legend: string;
    /** `lang` where a label is not in the page's language. */
    options: readonly { value: string; label: string; lang?: string }[];
    chosen: string;
  },
) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map(({ value, label, lang }) => (
        <button
          type="submit"
          name={name}
          value={value}
          lang={lang}
          aria-pressed={`${chosen === value}`}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}
