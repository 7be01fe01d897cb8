/**
 * Runs what it is given, at most so many at the same time, in the order in which it came.
 *
 * @returns runs one more; gives what it gives, and rejects when it does
 */
export function atMost(
  count: number,
): <T>(run: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
