/** Reads the counts out of the JUnit report that `deno test --junit-path` writes. */

export interface JunitCounts {
  readonly passed: number;
  readonly failed: number;
  /** What failed: the file, the name and the error's first lines. */
  readonly failures: readonly string[];
  /** Names of the tests that were ignored. */
  readonly ignored: readonly string[];
}

/** Steps count as tests of their own. An empty report (the run died) counts nothing. */
export function readJunit(xml: string): JunitCounts {
  let passed = 0;
  const failures: string[] = [];
  const ignored: string[] = [];
  for (const [, attributes, body] of xml.matchAll(TEST_CASE)) {
    const read = (name: string) =>
      unescape(
        new RegExp(`\\b${name}="([^"]*)"`).exec(attributes ?? "")?.[1] ?? "",
      );
    const failure = /<(?:failure|error)\b(?:[^>"]|"[^"]*")*>([^<]*)/
      .exec(body ?? "");
    if (failure) {
      const error = unescape(failure[1]!).split("\n").slice(0, ERROR_LINES);
      const where = `${read("classname")} => ${read("name")}`;
      failures.push([where, ...error].join("\n    "));
    } else if (/<skipped\b/.test(body ?? "")) ignored.push(read("name"));
    else passed++;
  }
  return { passed, failed: failures.length, failures, ignored };
}

/** Lines of an error that are kept: its words, the difference, and where it came from. */
const ERROR_LINES = 30;

const TEST_CASE =
  /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>(.*?)<\/testcase>)/gs;

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescape(text: string): string {
  return text.replace(
    /&(lt|gt|quot|apos|amp);/g,
    (_, name: string) => ENTITIES[name]!,
  );
}
