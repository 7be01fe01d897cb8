/** Parts of the page that are fetched when they are first needed. */

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Ui } from "./ui.ts";

type ExtrasModule = typeof import("../extras.ts");

export interface Extras {
  /** Undefined until `load` is through. */
  module: ExtrasModule | undefined;
  load: () => Promise<ExtrasModule>;
}

/** Does something with them. Without a network it stays undone: then it is of no use either. */
export function withExtras(
  { extras }: Ui,
  run: (module: ExtrasModule) => void,
): void {
  extras.load().then(run, () => {});
}

/** Draws a part once its code is there. */
export function Later(
  { ui, children }: {
    ui: Ui;
    children: (module: ExtrasModule) => ComponentChild;
  },
) {
  const { extras } = ui;
  const [, setLoaded] = useState(extras.module !== undefined);
  useEffect(() => withExtras(ui, () => setLoaded(true)), []);
  return <>{extras.module && children(extras.module)}</>;
}
