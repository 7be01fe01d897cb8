/** Parts of the page that are fetched when they are first needed. */

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface Lazy<T> {
  /** Undefined until `load` is through. */
  module: T | undefined;
  load: () => Promise<void>;
}

/** A module to be fetched later. */
export function lazy<T>(fetchModule: () => Promise<T>): Lazy<T> {
  const part: Lazy<T> = {
    module: undefined,
    load: async () => {
      part.module ??= await fetchModule();
    },
  };
  return part;
}

/** Draws a part once it is there. */
export function Later<T>(
  { part, children }: {
    part: Lazy<T>;
    children: (module: T) => ComponentChild;
  },
) {
  const [, setLoaded] = useState(part.module !== undefined);
  useEffect(() => void part.load().then(() => setLoaded(true)), []);
  return <>{part.module && children(part.module)}</>;
}
