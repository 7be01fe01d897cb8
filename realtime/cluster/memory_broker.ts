import type { Broker } from "./broker.ts";
import { newProcessId } from "./process_id.ts";

/** The broker of a chat of one process: it publishes to nobody. */
export function memoryBroker(): Broker {
  return {
    processId: newProcessId(),
    isUp: undefined,
    listen: () => {},
    subscribe: () => undefined,
    unsubscribe: () => {},
    publish: () => Promise.resolve(0),
    shared: undefined,
    close: () => Promise.resolve(),
  };
}
