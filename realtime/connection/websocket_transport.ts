import { CloseCode } from "../protocol/close_codes.ts";
import type { Timers } from "../timers.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/**
 * What is on its way from a peer that broke a rule is read for this long before the close, in
 * milliseconds: the runtime cuts the line at the first frame that comes after it, and a peer that is
 * cut off while it sends never sees the code.
 */
const LINGER_MS = 200;

/** Closes for what the peer sent, so that more of it is likely to follow. */
const PEER_IS_SENDING: ReadonlySet<CloseCode> = new Set([
  CloseCode.unsupportedData,
  CloseCode.tooBig,
  CloseCode.tooManyFrames,
]);

export interface WebSocketTransport extends Transport {
  /** @param isSending whether more from the peer is likely to be on its way; by default the code tells */
  close(code: CloseCode, reason: string, isSending?: boolean): void;
}

/**
 * A transport over Deno's native WebSocket, which must be open.
 *
 * @param fail told of exceptions in the events: thrown on, they would end the process
 */
export function webSocketTransport(
  socket: WebSocket,
  events: TransportEvents,
  timers: Timers,
  fail: (error: unknown) => void,
): WebSocketTransport {
  const guarded = (run: () => void) => {
    try {
      run();
    } catch (error) {
      fail(error);
    }
  };
  socket.onmessage = ({ data }) =>
    guarded(() =>
      typeof data === "string" ? events.onText(data) : events.onBinary()
    );
  socket.onclose = () => guarded(() => events.onClosed());
  // An error is always followed by a close, save after an abrupt loss: both end the connection.
  socket.onerror = () => guarded(() => events.onClosed());
  const end = (code: CloseCode, reason: string) => {
    if (socket.readyState <= WebSocket.OPEN) socket.close(code, reason);
  };
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    buffered: () => socket.bufferedAmount,
    // The runtime pings a silent peer and closes for want of a pong; but a ping waits behind other data.
    isAnswering: () =>
      socket.readyState === WebSocket.OPEN && socket.bufferedAmount === 0,
    close(code, reason, isSending = PEER_IS_SENDING.has(code)) {
      socket.onmessage = null;
      if (isSending) {
        timers.after(LINGER_MS, () => end(code, reason));
      } else end(code, reason);
    },
  };
}
