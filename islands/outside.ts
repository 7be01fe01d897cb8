/** What the chat does outside of its page: title and icons, a cookie, the worker that keeps it for later. */

import { localTimeZone } from "./client/browser.ts";
import { showCurrentRoom } from "./focus.ts";
import { carriesFiles } from "./components/messages/files.ts";

/** How long the time zone is remembered for the next page: a year, in seconds. */
const YEAR_S = 31_536_000;

let announced: string | undefined;

/** Shows unread messages in the title, on the tab's icon and on that of an installed program. */
export function announce(title: string, unread: number): void {
  const text = `${unread > 0 ? `(${unread}) ` : ""}${title} · ChatKet`;
  if (text === announced) return;
  document.title = announced = text;
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const href = `/static/icons/icon${unread > 0 ? "-unread" : ""}.svg`;
  // The same once more would be fetched once more.
  if (icon && !icon.href.endsWith(href)) icon.href = href;
  // Refused where nothing is installed.
  navigator.setAppBadge?.(unread).catch(() => {});
}

/**
 * Registers the service worker, tells the server the time zone and lets no file open over the page.
 *
 * @param onUpdate called when a worker of a newer build has taken over
 */
export function beginOutside(onUpdate: () => void): void {
  showCurrentRoom();
  // A file that is dropped would open in the page's place.
  for (const type of ["dragover", "drop"] as const) {
    addEventListener(type, (event) => {
      if (carriesFiles(event.dataTransfer)) event.preventDefault();
    });
  }
  try {
    document.cookie =
      `chatket_tz=${localTimeZone()}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
  } catch {
    // Refused: the next page's times are in UTC until its script runs.
  }
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  // The first worker comes beside the page, each later one with a newer build.
  let hadWorker = serviceWorker.controller;
  serviceWorker.oncontrollerchange = () => {
    if (hadWorker) onUpdate();
    hadWorker = serviceWorker.controller;
  };
  // A full or forbidden cache: the page lives without.
  serviceWorker.register("/sw.js").catch(() => {});
}

/** A line that was lost may have been cut by a newer server. Without a network nothing comes of it. */
export function lookForUpdate(): void {
  navigator.serviceWorker?.ready
    .then((registration) => registration.update()).catch(() => {});
}
