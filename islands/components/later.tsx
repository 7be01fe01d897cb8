/** Parts of the page that are fetched when they are first needed. */

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useUi } from "./ui.ts";

type ExtrasModule = typeof import("../extras.ts");

export interface Extras {
  /** Undefined until `load` is through. */
  module: ExtrasModule | undefined;
  load: () => Promise<void>;
}

/** Draws a part once its code is there. */
export function Later(
  { children }: { children: (module: ExtrasModule) => ComponentChild },
) {
  const { extras } = useUi();
  const [, setLoaded] = useState(extras.module !== undefined);
  useEffect(() => void extras.load().then(() => setLoaded(true)), []);
  return <>{extras.module && children(extras.module)}</>;
}
