import type { Handler } from "../dispatch.ts";
import { isUuid } from "../schemas.ts";
import type { HandlerParts } from "./parts.ts";

/** Follows many rooms at once after a reconnect. Announces nobody. A room named twice counts once. */
export function roomsSync(parts: HandlerParts): Handler<"rooms:sync"> {
  return async (connection, { rooms }) => {
    const unique = [
      ...new Map(rooms.map((room) => [room.roomId, room])).values(),
    ];
    const followed = await parts.catchUp.follow(
      connection,
      unique.filter(({ roomId }) => isUuid(roomId)),
    );
    const results = new Map(
      followed.map(({ result }) => [result.roomId, result]),
    );
    for (const { roomId, lastSeq } of unique) {
      if (
        lastSeq !== undefined && results.get(roomId)?.synced &&
        !results.get(roomId)?.reset
      ) {
        parts.seen.mark(connection.user.id, roomId, lastSeq);
      }
    }
    return {
      success: true,
      results: unique.map(({ roomId }) =>
        results.get(roomId) ?? { roomId, synced: false }
      ),
    };
  };
}
