import { type Handler, refuse } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { markRead } from "./mark_read.ts";

/** The user has read the room up to a message; the user's other sockets are told. */
export function roomRead(parts: HandlerParts): Handler<"room:read"> {
  return async (connection, { roomId, lastSeq }) => {
    const reached = await markRead(
      parts,
      connection.user.id,
      roomId,
      lastSeq,
      connection,
    );
    return reached === undefined
      ? refuse("not_a_member")
      : { success: true, lastSeq: reached };
  };
}
