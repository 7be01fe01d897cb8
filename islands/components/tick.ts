import { useEffect, useState } from "preact/hooks";

/** Draws once a second while something counts down. */
export function useTick(isActive: boolean): void {
  const [, setTicks] = useState(0);
  useEffect(() => {
    if (!isActive) return;
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), 1000);
    return () => clearInterval(timer);
  }, [isActive]);
}
