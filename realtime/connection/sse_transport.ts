import type { ServerEvent } from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** Most bytes the stream holds for its reader before `buffered()` shows a backlog to the connection. */
const STREAM_BYTES = 256 * 1024;

/** A comment is sent this often, so that proxies keep a quiet stream open, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/**
 * A transport over Server-Sent Events: the client's frames come by POST, so only `onClosed` is used.
 *
 * A close is sent as a last event `close` with `{ code, reason }`, because a stream has no close codes
 * of its own.
 */
export function sseTransport(
  events: Pick<TransportEvents, "onClosed">,
  timers: Timers,
): { transport: Transport; body: ReadableStream<Uint8Array> } {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let open = true;
  let stopKeepAlive = () => {};

  // The runtime may find only now that the reader has gone, and cancels before `enqueue` returns.
  const write = (text: string) => {
    if (open) controller.enqueue(encoder.encode(text));
  };
  const keepAlive = () => {
    stopKeepAlive = timers.after(KEEP_ALIVE_MS, () => {
      // A reader that takes nothing needs no more comments: the backlog would only grow.
      if ((controller.desiredSize ?? 0) > 0) write(":\n\n");
      if (open) keepAlive();
    });
  };
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      keepAlive();
    },
    cancel() {
      open = false;
      stopKeepAlive();
      events.onClosed();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: STREAM_BYTES }));

  const transport: Transport = {
    send: (text) => write(`data: ${text}\n\n`),
    buffered: () =>
      Math.max(0, STREAM_BYTES - (controller.desiredSize ?? STREAM_BYTES)),
    // A stream goes one way: its reader shows life by what it posts.
    isAnswering: () => false,
    close(code, reason) {
      if (!open) return;
      const stalled = (controller.desiredSize ?? 0) <= 0;
      transport.send(
        JSON.stringify(
          { event: "close", data: { code, reason } } satisfies ServerEvent,
        ),
      );
      if (!open) return;
      open = false;
      stopKeepAlive();
      // A plain close would keep the backlog of a reader that never reads; an error frees it.
      if (stalled) controller.error(new Error(reason));
      else controller.close();
    },
  };
  return { transport, body };
}
