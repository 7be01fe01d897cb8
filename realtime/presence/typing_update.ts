import { type Handler, refuse } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";

/** The user types in a room this socket is subscribed to, or has ceased to. */
export function typingUpdate(
  { typing }: HandlerParts,
): Handler<"typing:update"> {
  return (connection, { roomId, isTyping }) => {
    if (!connection.rooms.has(roomId)) {
      return refuse("not_a_member", "This socket does not follow the room.");
    }
    typing.set(connection, roomId, isTyping);
    return { success: true };
  };
}
