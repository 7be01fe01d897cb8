/** Draws and calls what is fetched when it is first needed. */

import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import type { LateParts, Ui } from "./ui.ts";

/** Does something with the late parts. Without a network it stays undone: then it is of no use either. */
export function withExtras(
  { extras }: Ui,
  run: (parts: LateParts) => void,
): void {
  extras.load().then(run, () => {});
}

/** Draws a part once its code is there. */
export function Later(
  { ui, children }: {
    ui: Ui;
    children: (parts: LateParts) => ComponentChild;
  },
) {
  const parts = ui.extras.module.value;
  useEffect(() => withExtras(ui, () => {}), []);
  return <>{parts && children(parts)}</>;
}
