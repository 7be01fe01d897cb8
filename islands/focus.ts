/** Where the keyboard's focus goes when what had it is gone: never to nothing. */

/**
 * Puts the focus into what is shown now, unless it is somewhere already.
 *
 * @param path what is shown
 * @param from what was shown before
 */
export function placeFocus(path: string, from: string): void {
  showCurrentRoom();
  const { activeElement: active, body } = document;
  if (active && active !== body && active.checkVisibility()) return;
  const wanted = path === "/"
    ? [`.rooms a[href="${from}"]`, ".rooms a"]
    : [".room .log", ".lobby :is(h1, h2)"];
  const target = [...wanted, ".app"].flatMap((selector) => [
    ...document.querySelectorAll<HTMLElement>(selector),
  ]).find((element) => element.checkVisibility());
  if (target === undefined) return;
  focusOn(target, target.matches(".log"));
}

/** Gives the focus of a button that is about to go, if it has it, to another element. */
export function passFocus(
  button: Element | null | undefined,
  target: HTMLElement | null | undefined,
): void {
  if (button && target && button === document.activeElement) {
    focusOn(target, true);
  }
}

function focusOn(target: HTMLElement, preventScroll: boolean): void {
  if (target.tabIndex < 0) target.tabIndex = -1;
  target.focus({ preventScroll });
}

/** Scrolls the list of rooms to the one that is open. */
export function showCurrentRoom(): void {
  document.querySelector(".rooms [aria-current]")
    ?.scrollIntoView({ block: "nearest" });
}
