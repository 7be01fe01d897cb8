/** Who is online, and a room's roster. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import { MAX_ROSTER_USERS, PRESENCE_TIMEOUT_MS } from "./limits.ts";
import { RoomId, RoomIdInput, UserRef } from "./shapes.ts";

const { roomId, user } = EXAMPLE;

/** A member of a room, with whether they are online. */
export const RosterUser = z.object({
  ...UserRef.shape,
  status: z.enum(["online", "offline"]),
}).meta({ id: "RosterUser" });

export type RosterUser = z.infer<typeof RosterUser>;

const RoomRoster = z.object({
  roomId: RoomId,
  users: z.array(RosterUser),
  onlineCount: z.int(),
  memberCount: z.int(),
});

export type RoomRoster = z.infer<typeof RoomRoster>;

export const presence = {
  client: {
    "presence:ping": clientEvent({
      summary: `Stay online: a user counts as online for ${
        PRESENCE_TIMEOUT_MS / 1000
      } s after a frame or an answered WebSocket ping. Event streams need it.`,
      data: z.object({ roomId: RoomIdInput.optional() }),
      ack: z.object({}),
      example: {},
      ackExample: {},
    }),
  },
  server: {
    "room:roster": serverEvent({
      summary:
        `The room's members, online first, at most ${MAX_ROSTER_USERS} of them; the counts are exact.`,
      data: RoomRoster,
      example: {
        roomId,
        users: [{ ...user, status: "online" }],
        onlineCount: 1,
        memberCount: 1,
      },
    }),
  },
};
