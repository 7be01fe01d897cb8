/** URLs of servers, as settings give them. */

/**
 * Parses the URL of a server.
 *
 * One with an `@` or a `#` behind its host is refused: a password that holds `/`, `?` or `#` without
 * percent-encoding ends the host too early, and its beginning would be looked up, and shown, as one.
 *
 * @param scheme matches the protocol, the colon included
 * @returns undefined when it is no such URL, or has no host
 */
export function parseServerUrl(text: string, scheme: RegExp): URL | undefined {
  const url = URL.parse(text);
  if (url === null || !scheme.test(url.protocol)) return undefined;
  if (/[@#]/.test(url.pathname + url.search + url.hash)) return undefined;
  const { hostname, username, password, pathname } = url;
  const parts = [hostname, username, password, pathname];
  return hostname !== "" && parts.every(isDecodable) ? url : undefined;
}

/** A host may be missing between these when the parameter `host` names it. */
const NO_HOST = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[:/?]|$)/;

/**
 * Parses a PostgreSQL URL. The host may be the folder of a Unix socket, percent-encoded or as the
 * parameter `host`, which wins over the host of the URL.
 *
 * @returns undefined when it is none, or names no host
 */
export function parsePostgresUrl(text: string): URL | undefined {
  const url = parseServerUrl(
    text.replace(NO_HOST, "$1localhost"),
    /^postgres(ql)?:$/,
  );
  return NO_HOST.test(text) && !url?.searchParams.get("host") ? undefined : url;
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
