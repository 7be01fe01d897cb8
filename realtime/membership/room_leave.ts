import type { Handler } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";

/** Unsubscribes from a room; the membership stays. Leaving a room that is not subscribed to is no error. */
export function roomLeave(
  { hub, typing, clock }: HandlerParts,
): Handler<"room:leave"> {
  return (connection, { roomId }) => {
    typing.clearConnection(connection, [roomId]);
    if (hub.unsubscribe(connection, roomId)) {
      const { user } = connection;
      const createdAt = new Date(clock()).toISOString();
      hub.announce({
        event: "room:system",
        data: { type: "leave", roomId, user, createdAt },
      });
    }
    return { success: true };
  };
}
