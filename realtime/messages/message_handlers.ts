import type { HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { refuse } from "../protocol/envelope.ts";
import type { messages } from "../protocol/messages.ts";
import type { AckData, ClientEvents, UserRef } from "../protocol/protocol.ts";
import { isUuid } from "../protocol/shapes.ts";

/** Handles messages; each is acked after the commit. */
export function messageHandlers(
  parts: HandlerParts,
): HandlersOf<typeof messages> {
  const send = sendMessage(parts);
  return { "message:send": (connection, post) => send(connection.user, post) };
}

/** What `message:send` does for a user, on whatever way the message came. */
export function sendMessage(parts: HandlerParts) {
  const { postMessage, typing, readMarkers, connections, hub, clock } = parts;
  return async (
    user: UserRef,
    post: ClientEvents["message:send"],
  ): Promise<AckData<"message:send">> => {
    if (parts.isDraining()) {
      return refuse("unavailable", "The server is restarting. Try again.");
    }
    if (!isUuid(post.roomId)) return refuse("room_not_found");
    const result = await postMessage.post(user, post);
    switch (result.kind) {
      case "refused":
        return refuse(result.code, result.error);
      case "muted":
        if (result.isNew) {
          const createdAt = new Date(clock()).toISOString();
          const { roomId } = post;
          connections.sendToUser(user.id, {
            event: "room:system",
            data: {
              type: "muted",
              roomId,
              user,
              createdAt,
              until: result.mutedUntil,
            },
          });
        }
        return { ...refuse("muted"), mutedUntil: result.mutedUntil };
      case "stored": {
        typing.clear(user, post.roomId);
        // A message one posts counts as read.
        readMarkers.mark(user.id, post.roomId, result.seq);
        const { messageId, seq, createdAt, isDuplicate } = result;
        // A write that we reported as failed may have committed.
        if (isDuplicate) hub.feed(post.roomId)?.expect(seq);
        const ack = { success: true, messageId, seq, createdAt } as const;
        return isDuplicate ? { ...ack, isDuplicate } : ack;
      }
    }
  };
}
