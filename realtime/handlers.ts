import { changeHandlers } from "./changes/change_handlers.ts";
import type { Handlers } from "./connection/dispatch.ts";
import type { HandlerParts } from "./connection/handler_parts.ts";
import { messageHandlers } from "./messages/message_handlers.ts";
import {
  presenceHandlers,
  typingHandlers,
} from "./presence/presence_handlers.ts";
import { readMarkerHandlers } from "./read_markers/read_marker_handlers.ts";
import { roomHandlers } from "./rooms/room_handlers.ts";

/** The handlers of every feature. */
export function createHandlers(parts: HandlerParts): Handlers {
  return {
    ...roomHandlers(parts),
    ...readMarkerHandlers(parts),
    ...messageHandlers(parts),
    ...changeHandlers(parts),
    ...typingHandlers(parts),
    ...presenceHandlers(),
  };
}
