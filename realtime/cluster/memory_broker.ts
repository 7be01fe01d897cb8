import type { Backbone } from "./broker.ts";
import { newProcessId } from "./process_id.ts";

/** The backbone of a chat that is one process: there is nobody to tell. */
export function soloBackbone(): Backbone {
  return {
    processId: newProcessId(),
    isUp: undefined,
    listen: () => {},
    follow: () => undefined,
    unfollow: () => {},
    publish: () => Promise.resolve(0),
    shared: undefined,
    close: () => Promise.resolve(),
  };
}
