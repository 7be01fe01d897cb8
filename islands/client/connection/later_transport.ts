import {
  ABNORMAL_CLOSURE,
  type OpenTransport,
  type Transport,
} from "./transport.ts";

/** A transport whose code is fetched when a line is first opened: most clients never need it. */
export function laterTransport(
  fetchTransport: () => Promise<OpenTransport | undefined>,
): OpenTransport {
  return (events) => {
    let line: Transport | undefined;
    let isClosed = false;
    fetchTransport().then(
      (open) => {
        if (!isClosed) line = open?.(events);
      },
      () => {
        if (!isClosed) events.closed(ABNORMAL_CLOSURE);
      },
    );
    return {
      send: (envelope) => line?.send(envelope),
      close() {
        isClosed = true;
        line?.close();
      },
    };
  };
}
