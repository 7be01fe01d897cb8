import type { HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { refuse } from "../protocol/envelope.ts";
import type { presence } from "../protocol/presence.ts";
import type { typing as typingEvents } from "../protocol/typing.ts";

/** Handles signs of life. That a frame came in is all that counts, and every frame does. */
export function presenceHandlers(): HandlersOf<typeof presence> {
  return { "presence:ping": () => ({ success: true }) };
}

/** Handles who types, in rooms that the connection is subscribed to. */
export function typingHandlers(
  { hub, typing }: HandlerParts,
): HandlersOf<typeof typingEvents> {
  return {
    "typing:update": (connection, { roomId, isTyping }) => {
      if (!hub.subscriptionsOf(connection).has(roomId)) {
        return refuse("not_a_member", "This socket does not follow the room.");
      }
      typing.set(connection, roomId, isTyping);
      return { success: true };
    },
  };
}
