/** A room, subscribing to rooms, replaying what was missed, and lines about who came and went. */

import { z } from "zod";
import { clientEvent, serverEvent } from "./define.ts";
import { EXAMPLE } from "./examples.ts";
import {
  MAX_ANNOUNCED_SUBSCRIBERS,
  MAX_CHANGES,
  MAX_REPLAY,
  MAX_SYNC_ROOMS,
} from "./limits.ts";
import { Epoch, RoomId, RoomIdInput, Seq, Time, UserRef } from "./shapes.ts";

const { roomId, user, lastSeq, lastRev, epoch, time } = EXAMPLE;

/** A room as one user sees it. */
export const Room = z.object({
  id: RoomId,
  name: z.string().meta({ example: EXAMPLE.roomName }),
  createdAt: Time,
  createdBy: UserRef,
  memberCount: z.int(),
  isMember: z.boolean(),
  lastSeq: z.int().describe("seq of the newest message; 0 in an empty room"),
  lastRev: z.int().describe("rev of the newest change; 0 where there was none"),
  epoch: Epoch,
  joinedAt: Time.optional(),
  lastSeenAt: Time.optional(),
  lastReadSeq: z.int().optional().describe(
    "seq of the newest message the caller has read",
  ),
  unreadCount: z.int().optional().describe(
    "messages of others after it that are not deleted; 100 means 100 or more",
  ),
}).meta({
  id: "Room",
  description:
    "joinedAt, lastSeenAt, lastReadSeq and unreadCount are absent where the caller is no member.",
});

export type Room = z.infer<typeof Room>;

/** Where a client stands in a room. */
export const RoomPosition = z.object({
  roomId: RoomIdInput,
  lastSeenAt: z.iso.datetime({ offset: true }).optional().describe(
    "Time of the newest message seen; replays from this millisecond on",
  ),
  lastSeq: Seq.optional().describe(
    "seq of the newest message seen; replays what comes after it. Wins over lastSeenAt",
  ),
  lastRev: Seq.optional().describe(
    "rev of the newest change seen; what changed after it is sent. Without it no changes are",
  ),
  fromSeq: Seq.optional().describe(
    "seq of the oldest message held: changes of older ones are left out",
  ),
  epoch: z.string().max(64).optional().describe(
    "the history that the position is in, as the server has named it",
  ),
}).meta({ id: "RoomPosition" });

export type RoomPosition = z.infer<typeof RoomPosition>;

/** One room's part of a `rooms:sync` ack; a room that is not synced has nothing else. */
const SyncResult = z.object({
  roomId: z.string(),
  synced: z.boolean().describe(
    "False: no such room, or the caller is no member",
  ),
  messageCount: Seq.exactOptional(),
  hasMore: z.boolean().exactOptional().describe(
    "More messages wait: sync again from lastSeq",
  ),
  lastSeq: Seq.exactOptional().describe("Everything up to here was delivered"),
  changeCount: Seq.exactOptional(),
  hasMoreChanges: z.boolean().exactOptional().describe(
    "More changes wait: sync again from lastRev",
  ),
  lastRev: Seq.exactOptional().describe(
    "Every change up to here was delivered; without a position in the request the room's newest",
  ),
  epoch: Epoch.exactOptional(),
  reset: z.boolean().exactOptional().describe(
    "What the room has does not join on to the position (older messages were removed, or the database was set back): forget what is held and load the newest page",
  ),
}).meta({ id: "SyncResult" });

export type SyncResult = z.infer<typeof SyncResult>;

const line = { roomId: RoomId, user: UserRef, createdAt: Time };

/** A line in a room that is no message. */
const RoomSystem = z.union([
  z.object({ type: z.enum(["join", "leave"]), ...line }),
  z.object({ type: z.literal("muted"), ...line, until: Time }),
]);

export type RoomSystem = z.infer<typeof RoomSystem>;

export const rooms = {
  client: {
    "rooms:sync": clientEvent({
      summary:
        `Subscribe to rooms from where the client stands; each is live as soon as it is ready. What was missed comes before the ack, at most ${MAX_CHANGES} changed messages and ${MAX_REPLAY} new ones a room, then the roster; one that is still being loaded may follow the ack.`,
      data: z.object({ rooms: z.array(RoomPosition).max(MAX_SYNC_ROOMS) }),
      ack: z.object({ results: z.array(SyncResult) }),
      example: { rooms: [{ roomId, lastSeq: lastSeq - 1, lastRev, epoch }] },
      ackExample: {
        results: [
          {
            ...{
              roomId,
              synced: true,
              messageCount: 1,
              hasMore: false,
              lastSeq,
            },
            ...{ changeCount: 0, hasMoreChanges: false, lastRev, epoch },
          },
        ],
      },
    }),
    "room:join": clientEvent({
      summary:
        "Subscribe to one room, announced to the others when it is the user's first socket there.",
      data: RoomPosition,
      ack: z.object({
        messageCount: Seq,
        hasMore: z.boolean(),
        lastSeq: Seq,
        changeCount: Seq,
        hasMoreChanges: z.boolean(),
        lastRev: Seq,
        epoch: Epoch,
        reset: SyncResult.shape.reset,
      }),
      example: { roomId, lastSeenAt: time },
      ackExample: {
        ...{ messageCount: 1, hasMore: false, lastSeq },
        ...{ changeCount: 0, hasMoreChanges: false, lastRev, epoch },
      },
    }),
    "room:leave": clientEvent({
      summary:
        "Unsubscribe from a room. The membership stays; that is ended over HTTP.",
      data: z.object({ roomId: RoomIdInput }),
      ack: z.object({}),
      example: { roomId },
      ackExample: {},
    }),
  },
  server: {
    "room:system": serverEvent({
      summary:
        `Someone came or went, or the user was muted. Coming and going is left out in rooms with more than ${MAX_ANNOUNCED_SUBSCRIBERS} sockets; of one user it is told at most four times a minute, then once at the end of the minute, if it has changed anything.`,
      data: RoomSystem,
      example: { type: "join", roomId, user, createdAt: time },
    }),
  },
};
