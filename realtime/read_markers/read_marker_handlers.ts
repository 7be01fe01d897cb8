import type { HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { refuse } from "../protocol/envelope.ts";
import type { readMarkers } from "../protocol/read_markers.ts";
import { markRead } from "./mark_read.ts";

/** Handles read markers; the user's other connections get them too. */
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
