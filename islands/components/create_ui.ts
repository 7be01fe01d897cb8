import { computed, signal } from "@preact/signals";
import { localTimeZone } from "../client/browser.ts";
import type { ChatClient } from "../client/chat_client.ts";
import type { ChatPageProps } from "../page_props.ts";
import { createTimes } from "../text/times.ts";
import { createTranslate } from "../text/translate.ts";
import type { Extras, Surroundings, Ui } from "./ui.ts";

export interface UiOptions {
  client: ChatClient;
  page: ChatPageProps;
  extras: Extras;
  surroundings: Surroundings;
}

/** Makes what every part of one page needs. */
export function createUi({ page, ...options }: UiOptions): Ui {
  const isHydrated = signal(false);
  const path = signal(page.path);
  const times = computed(() =>
    createTimes(
      page.locale,
      isHydrated.value ? localTimeZone() : page.timeZone,
    )
  );
  return {
    ...options,
    isHydrated,
    path,
    navigate(to) {
      if (to === path.value) return;
      history.pushState(null, "", to);
      // What is shown next takes the focus. Otherwise it stays with who is writing.
      (document.activeElement as HTMLElement | null)?.blur();
      path.value = to;
    },
    dialog: signal(),
    menu: signal(),
    times,
    t: createTranslate(page.strings, page.locale),
    today: computed(() => times.value.day(options.surroundings.minute.value)),
  };
}
