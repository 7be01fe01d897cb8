/** What the examples of both documents speak of: the protocol's small world, and what only the REST API names. */

import { EXAMPLE as PROTOCOL_EXAMPLE } from "../../realtime/protocol/examples.ts";
import { encodeRoomCursor } from "../rooms/room_cursor.ts";

export const EXAMPLE = {
  ...PROTOCOL_EXAMPLE,
  email: "alice@example.org",
  loginCode: "123456",
  sessionId: "0198c5a2-7b6e-7c11-9a53-2f6f5f0e9d10",
  /** Of the room that is made; the one that exists has another. */
  newRoomName: "Night owls",
  roomCursor: encodeRoomCursor({
    last_activity_at: new Date(PROTOCOL_EXAMPLE.time),
    id: PROTOCOL_EXAMPLE.roomId,
  }),
} as const;
