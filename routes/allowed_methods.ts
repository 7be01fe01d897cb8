/** Which methods an address answers, for 405 and OPTIONS. */

/** A route as Hono lists it. `ALL` stands for middleware. */
interface Route {
  readonly method: string;
  readonly path: string;
}

/**
 * Looks up the methods of a path: empty when no route has it.
 *
 * Hono lists the patterns it was given; only what this program uses is understood: `:name`,
 * `:name{a|b}` and a `*` at the end.
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
  const segments = pattern.split("/").map((segment) => {
    if (segment === "*") return ".*";
    if (!segment.startsWith(":")) return RegExp.escape(segment);
    return `(?:${/\{(.*)\}$/.exec(segment)?.[1] ?? "[^/]+"})`;
  });
  return new RegExp(`^${segments.join("/")}$`);
}
