/**
 * The value of a `Link` header (RFC 8288) that leads to the next page of a list.
 *
 * @param path the path of the list
 * @param query the next page's parameters; those that are undefined are left out
 */
export function nextLink(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]]
  );
  return `<${path}?${new URLSearchParams(given)}>; rel="next"`;
}
