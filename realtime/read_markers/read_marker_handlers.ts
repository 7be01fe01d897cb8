import type { HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { refuse } from "../protocol/envelope.ts";
import type { readMarkers } from "../protocol/read_markers.ts";
import { markRead } from "./mark_read.ts";

/** Handles what a user has read; the user's other sockets are told. */
export function readMarkerHandlers(
  parts: HandlerParts,
): HandlersOf<typeof readMarkers> {
  return {
    "room:read": async (connection, { roomId, lastSeq }) => {
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
    },
  };
}
