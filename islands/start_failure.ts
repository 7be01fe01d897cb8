/** Says that the page does not come to life, and why: in the line that later tells of the connection. */

import type { Strings } from "./strings/en.ts";

/**
 * Shows that starting failed.
 *
 * @param page the page as the server drew it; its forms work
 * @param strings what is said before the reason, and the label of the way to try again
 */
export function showStartFailure(
  page: Element,
  error: unknown,
  { startFailed, reload }: Pick<Strings, "startFailed" | "reload">,
): void {
  const bar = page.querySelector(".connection");
  if (bar === null) return;
  bar.className = "connection";
  const reason = document.createElement("p");
  reason.setAttribute("role", "alert");
  reason.textContent = `${startFailed} (${error})`;
  const again = document.createElement("a");
  again.className = "button";
  again.href = "";
  again.textContent = reload;
  bar.replaceChildren(reason, again);
}
