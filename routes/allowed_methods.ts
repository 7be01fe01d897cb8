/** Which methods an address answers, for 405 and OPTIONS. */

/** A route as Hono lists it. `ALL` stands for middleware. */
interface Route {
  readonly method: string;
  readonly path: string;
}

/**
 * Looks up the methods of a path: empty when no route has it.
 *
 * Hono lists the patterns it was given; only what this program uses is understood: `:name` and a
 * `*` at the end.
 */
export function createMethodTable(
  routes: readonly Route[],
): (path: string) => string[] {
  const methodsByPattern = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (method === "ALL") continue;
    const methods = methodsByPattern.get(path) ?? new Set();
    methodsByPattern.set(path, methods.add(method));
  }
  const table = [...methodsByPattern].map(([pattern, methods]) => ({
    pattern: patternExpression(pattern),
    methods,
  }));
  return (path) => {
    const allowed = new Set(
      table.filter((entry) => entry.pattern.test(path)).flatMap((entry) => [
        ...entry.methods,
      ]),
    );
    if (allowed.size === 0) return [];
    if (allowed.has("GET")) allowed.add("HEAD");
    return [...allowed.add("OPTIONS")].sort();
  };
}

function patternExpression(pattern: string): RegExp {
  const segments = pattern.split("/").map((segment) =>
    segment === "*"
      ? ".*"
      : segment.startsWith(":")
      ? "[^/]+"
      : RegExp.escape(segment)
  );
  return new RegExp(`^${segments.join("/")}$`);
}
