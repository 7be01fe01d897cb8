import type { Handler } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { isUuid } from "../protocol/schemas.ts";

/**
 * Subscribes to many rooms at once after a reconnect. Announces nobody. A room named twice counts once.
 * A position says what was delivered, not what was read: that is `room:read`.
 */
export function roomsSync(parts: HandlerParts): Handler<"rooms:sync"> {
  return async (connection, { rooms }) => {
    const unique = [
      ...new Map(rooms.map((room) => [room.roomId, room])).values(),
    ];
    const subscribed = await parts.catchUp.subscribe(
      connection,
      unique.filter(({ roomId }) => isUuid(roomId)),
    );
    const results = new Map(
      subscribed.map(({ result }) => [result.roomId, result]),
    );
    return {
      success: true,
      results: unique.map(({ roomId }) =>
        results.get(roomId) ?? { roomId, synced: false }
      ),
    };
  };
}
