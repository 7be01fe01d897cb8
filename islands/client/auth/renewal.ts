/**
 * Makes the page's requests in its user's name, and keeps the browser signed in: when its token is
 * over, the refresh cookie is traded for a new one.
 */

import { CloseCode } from "../../../realtime/protocol/close_codes.ts";
import { USER_HEADER } from "../../../realtime/protocol/handshake.ts";
import type { LockQueue } from "../browser.ts";
import {
  ABNORMAL_CLOSURE,
  type OpenTransport,
} from "../connection/transport.ts";

export interface Renewal {
  /** As the given `fetch`; a request that is refused for its token is made once more with a new one. */
  fetch: typeof fetch;
  /** As the given transport; a line that ends with its token is reported as lost: a new one may open. */
  open(open: OpenTransport): OpenTransport;
}

export interface RenewalOptions {
  /** The address that trades the cookie. */
  url: string;
  fetch: typeof fetch;
  /** Lets one tab after another do it: each trades the newest refresh cookie. */
  locks: LockQueue | undefined;
  /** For whom the page was drawn. The cookies may have become another user's. */
  userId: string;
  /** The server has refused a request because they have. */
  onOtherUser: () => void;
}

/** A `fetch` and a transport that belong to one user. */
export function createRenewal(
  { url, fetch: send, locks, userId, onOtherUser }: RenewalOptions,
): Renewal {
  let renewing: Promise<boolean> | undefined;
  const fetch: typeof send = async (input, init) => {
    const headers = { ...init?.headers, [USER_HEADER]: userId };
    const answer = await send(input, { ...init, headers });
    if (answer.status === 412) onOtherUser();
    return answer;
  };
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
