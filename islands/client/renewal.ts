/** Keeps a browser signed in: when its token is over, the refresh cookie is traded for a new one. */

import { CloseCode } from "../../realtime/protocol.ts";
import { ABNORMAL_CLOSURE, type OpenTransport } from "./transport.ts";

export interface Renewal {
  /** As the given `fetch`; a request that is refused for its token is made once more with a new one. */
  fetch: typeof fetch;
  /** As the given transport; a line that ends with its token is reported as lost: a new one may open. */
  open(open: OpenTransport): OpenTransport;
}

/**
 * @param url the address that trades the cookie
 * @param locks lets one tab after another do it: a refresh cookie that is used twice ends the session
 */
export function createRenewal(
  url: string,
  fetch: typeof globalThis.fetch,
  locks: LockManager | undefined,
): Renewal {
  let renewing: Promise<boolean> | undefined;
  /** Whether to try again. No answer, or a crowd at the door, is no reason to sign out. */
  const trade = () =>
    fetch(url, { method: "POST" }).then(
      ({ status }) => status !== 401,
      () => true,
    );
  const renew = () =>
    renewing ??= (locks?.request("chatket_refresh", trade) ?? trade())
      .finally(() => renewing = undefined);

  return {
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      return answer.status === 401 && await renew()
        ? fetch(input, init)
        : answer;
    },
    open: (open) => (events) =>
      open({
        ...events,
        closed: async (code) =>
          events.closed(
            code === CloseCode.tokenExpired && await renew()
              ? ABNORMAL_CLOSURE
              : code,
          ),
      }),
  };
}
