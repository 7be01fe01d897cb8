import { type Handler, refuse } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { isUuid } from "../protocol/schemas.ts";

/** Subscribes to one room. The first socket of a user in the room is announced to the others. */
export function roomJoin(parts: HandlerParts): Handler<"room:join"> {
  return async (connection, position) => {
    const { roomId } = position;
    if (!isUuid(roomId)) return refuse("room_not_found");
    const [subscribed] = await parts.catchUp.subscribe(connection, [position]);
    const { result, firstOfUser } = subscribed!;
    if (!result.synced) {
      return refuse(
        await parts.roomExists(roomId) ? "not_a_member" : "room_not_found",
      );
    }
    const { user } = connection;
    if (firstOfUser) {
      const createdAt = new Date(parts.clock()).toISOString();
      parts.hub.announce({
        event: "room:system",
        data: { type: "join", roomId, user, createdAt },
      });
    }
    return {
      success: true,
      messageCount: result.messageCount ?? 0,
      hasMore: result.hasMore ?? false,
      lastSeq: result.lastSeq ?? 0,
      ...(result.reset ? { reset: true } : {}),
    };
  };
}
