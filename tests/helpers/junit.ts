/** Reads the counts out of the JUnit report that `deno test --junit-path` writes. */

export interface JunitCounts {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that were ignored. */
  readonly ignored: readonly string[];
}

/** Steps count as tests of their own. An empty report (the run died) counts nothing. */
export function readJunit(xml: string): JunitCounts {
  let passed = 0;
  let failed = 0;
  const ignored: string[] = [];
  for (const [, attributes, body] of xml.matchAll(TEST_CASE)) {
    if (/<(failure|error)\b/.test(body ?? "")) failed++;
    else if (/<skipped\b/.test(body ?? "")) {
      const name = /\bname="([^"]*)"/.exec(attributes ?? "")?.[1] ?? "";
      ignored.push(unescape(name));
    } else passed++;
  }
  return { passed, failed, ignored };
}

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
