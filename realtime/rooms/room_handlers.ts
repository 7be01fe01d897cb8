import type { Handler, HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { outsiderDenial } from "../policy.ts";
import { refuse } from "../protocol/envelope.ts";
import type { rooms } from "../protocol/rooms.ts";
import { isUuid } from "../protocol/shapes.ts";

/** Handles the events that subscribe a connection to rooms and unsubscribe it. Memberships stay as they are. */
export function roomHandlers(parts: HandlerParts): HandlersOf<typeof rooms> {
  return {
    "rooms:sync": roomsSync(parts),
    "room:join": roomJoin(parts),
    "room:leave": roomLeave(parts),
  };
}

/**
 * Subscribes to many rooms at once after a reconnect. Sends no lines about joining. A room named twice counts once.
 * A position says what was delivered, not what was read: that is `room:read`.
 */
function roomsSync({ catchUp }: HandlerParts): Handler<"rooms:sync"> {
  return async (connection, { rooms }) => {
    const unique = [
      ...new Map(rooms.map((room) => [room.roomId, room])).values(),
    ];
    const subscribed = await catchUp.subscribe(
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

/** Subscribes to one room. The first socket of a user in the room is announced to the others. */
function roomJoin(parts: HandlerParts): Handler<"room:join"> {
  return async (connection, position) => {
    const { roomId } = position;
    if (!isUuid(roomId)) return refuse("room_not_found");
    const [subscribed] = await parts.catchUp.subscribe(connection, [position]);
    const { result, firstOfUser } = subscribed!;
    if (!result.synced) {
      return refuse(outsiderDenial(await parts.roomExists(roomId)));
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
      changeCount: result.changeCount ?? 0,
      hasMoreChanges: result.hasMoreChanges ?? false,
      lastRev: result.lastRev ?? 0,
      epoch: result.epoch ?? parts.history.epoch,
      ...(result.reset ? { reset: true } : {}),
    };
  };
}

/** Unsubscribes from a room. Leaving a room that is not subscribed to is no error. */
function roomLeave(
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
