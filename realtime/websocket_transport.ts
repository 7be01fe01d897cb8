import type { Transport, TransportEvents } from "./transport.ts";

/**
 * A transport over Deno's native WebSocket, which must be open.
 *
 * @param fail told of exceptions in the events: thrown on, they would end the process
 */
export function webSocketTransport(
  socket: WebSocket,
  events: TransportEvents,
  fail: (error: unknown) => void,
): Transport {
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
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    buffered: () => socket.bufferedAmount,
    close(code, reason) {
      if (socket.readyState <= WebSocket.OPEN) socket.close(code, reason);
    },
  };
}
