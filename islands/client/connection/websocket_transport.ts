/** The ordinary wire: a WebSocket. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
  USER_PREFIX,
} from "../../../realtime/protocol/handshake.ts";
import {
  ABNORMAL_CLOSURE,
  type OpenTransport,
  parseFrame,
} from "./transport.ts";

export interface WebSocketSettings {
  /** Absolute URL, `ws:` or `wss:`. */
  url: string;
  /** For clients without a cookie: the access token, sent as a subprotocol entry. */
  accessToken?: string | undefined;
  /** For whom the page was drawn: the socket must be that user's. */
  userId?: string | undefined;
  WebSocket: new (url: string, protocols: string[]) => WebSocket;
}

/** A transport over a WebSocket. */
export function webSocketTransport(
  { url, accessToken, userId, WebSocket }: WebSocketSettings,
): OpenTransport {
  return (events) => {
    const protocols = [SUBPROTOCOL];
    if (accessToken !== undefined) protocols.push(BEARER_PREFIX + accessToken);
    if (userId !== undefined) protocols.push(USER_PREFIX + userId);
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) => events.received(parseFrame(String(data)));
    socket.onclose = ({ code }) => events.closed(code || ABNORMAL_CLOSURE);
    return {
      send(envelope) {
        // In any other state the browser throws or drops it; `onclose` reports the loss.
        if (socket.readyState === 1) socket.send(JSON.stringify(envelope));
      },
      close() {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.onerror = () => {};
        socket.close();
      },
    };
  };
}
