/** Every realtime event with its words, schema and an example: what the documentation is made of. */

import { z } from "zod";
import type {
  ClientAcks,
  ClientEventName,
  ClientEvents,
  Refusal,
  RefusalCode,
  ServerEventName,
  ServerEvents,
} from "../../realtime/protocol/protocol.ts";
import { CLIENT_EVENT_SCHEMAS } from "../../realtime/protocol/schemas.ts";
import { EXAMPLE } from "./examples.ts";

const { roomId: ROOM_ID, messageId: MESSAGE_ID, time: TIME } = EXAMPLE;
const { clientMsgId: CLIENT_MSG_ID, user: ALICE, lastSeq: LAST_SEQ } = EXAMPLE;

const User = z.object({ id: z.uuid(), username: z.string() });
const Time = z.iso.datetime({ precision: 3 });
const Seq = z.int().min(0);
const Empty = z.object({});

/** A client event: what it asks, what it carries, what its ack carries beside `success: true`. */
export interface ClientEventDoc<E extends ClientEventName = ClientEventName> {
  readonly summary: string;
  readonly data: z.ZodType;
  readonly ack: z.ZodType<ClientAcks[E]>;
  readonly example: ClientEvents[E];
  readonly ackExample: ClientAcks[E];
}

/** A server event: what it tells and what it carries. */
export interface ServerEventDoc<E extends ServerEventName = ServerEventName> {
  readonly summary: string;
  readonly data: z.ZodType<ServerEvents[E]>;
  readonly example: ServerEvents[E];
}

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
  reset: z.boolean().exactOptional().describe(
    "What the room has does not join on to the position (older messages were removed, or the database was set back): forget what is held and load the newest page",
  ),
});

export const CLIENT_EVENT_DOCS: {
  readonly [E in ClientEventName]: ClientEventDoc<E>;
} = {
  "rooms:sync": {
    summary:
      "Follow rooms from where the client stands; each is live as soon as it is ready. What was missed comes before the ack, at most 100 messages a room, then the roster; one that is still being loaded may follow the ack.",
    data: CLIENT_EVENT_SCHEMAS["rooms:sync"],
    ack: z.object({ results: z.array(SyncResult) }),
    example: { rooms: [{ roomId: ROOM_ID, lastSeq: LAST_SEQ - 1 }] },
    ackExample: {
      results: [{
        ...{ roomId: ROOM_ID, synced: true, messageCount: 1 },
        ...{ hasMore: false, lastSeq: LAST_SEQ },
      }],
    },
  },
  "room:join": {
    summary:
      "Follow one room, announced to the others when it is the user's first socket there.",
    data: CLIENT_EVENT_SCHEMAS["room:join"],
    ack: z.object({
      messageCount: Seq,
      hasMore: z.boolean(),
      lastSeq: Seq,
      reset: z.boolean().exactOptional(),
    }),
    example: { roomId: ROOM_ID, lastSeenAt: TIME },
    ackExample: { messageCount: 1, hasMore: false, lastSeq: LAST_SEQ },
  },
  "room:leave": {
    summary:
      "Stop following a room. The membership stays; that is ended over HTTP.",
    data: CLIENT_EVENT_SCHEMAS["room:leave"],
    ack: Empty,
    example: { roomId: ROOM_ID },
    ackExample: {},
  },
  "room:read": {
    summary:
      "Mark the room as read up to a message, on all of the user's devices.",
    data: CLIENT_EVENT_SCHEMAS["room:read"],
    ack: z.object({ lastSeq: Seq }),
    example: { roomId: ROOM_ID, lastSeq: LAST_SEQ },
    ackExample: { lastSeq: LAST_SEQ },
  },
  "message:send": {
    summary:
      "Post a message of 1–500 characters. The ack comes after it is stored. The same clientMsgId again is answered with the first message and stored once.",
    data: CLIENT_EVENT_SCHEMAS["message:send"],
    ack: z.object({
      messageId: z.uuid(),
      seq: Seq,
      createdAt: Time,
      isDuplicate: z.boolean().exactOptional(),
    }),
    example: {
      roomId: ROOM_ID,
      text: EXAMPLE.text,
      clientMsgId: CLIENT_MSG_ID,
    },
    ackExample: { messageId: MESSAGE_ID, seq: LAST_SEQ, createdAt: TIME },
  },
  "typing:update": {
    summary:
      "Say that the user types or stopped. Ends by itself 5 s after the last one.",
    data: CLIENT_EVENT_SCHEMAS["typing:update"],
    ack: Empty,
    example: { roomId: ROOM_ID, isTyping: true },
    ackExample: {},
  },
  "presence:ping": {
    summary:
      "Stay online: a user counts as online for 30 s after a frame or an answered WebSocket ping. Event streams need it.",
    data: CLIENT_EVENT_SCHEMAS["presence:ping"],
    ack: Empty,
    example: {},
    ackExample: {},
  },
};

const REFUSAL_CODES = [
  "bad_request",
  "unknown_event",
  "not_a_member",
  "room_not_found",
  "muted",
  "unavailable",
  "internal",
] as const satisfies readonly RefusalCode[];

export const RefusalSchema = z.object({
  success: z.literal(false),
  error: z.string(),
  code: z.enum(REFUSAL_CODES),
  mutedUntil: Time.exactOptional().describe("Only with the code muted"),
});

export const REFUSAL_EXAMPLE: Refusal = {
  success: false,
  error: "you write too fast",
  code: "muted",
  mutedUntil: TIME,
};

/** The one event that only event streams know: they have no close codes of their own. */
export const STREAM_CLOSE_DOC = {
  summary:
    "Last event of an event stream that the server ends (GET /api/events).",
  data: z.object({
    code: z.int().describe("A close code, as a WebSocket has them"),
    reason: z.string(),
  }),
  example: { code: 1012, reason: "restarting" },
};

const RoomLine = { roomId: z.uuid(), user: User, createdAt: Time };

export const SERVER_EVENT_DOCS: {
  readonly [E in ServerEventName]: ServerEventDoc<E>;
} = {
  "message:new": {
    summary:
      "A message was stored. Every socket that follows the room gets it, the sender's too, in the order of seq.",
    data: z.object({
      messageId: z.uuid(),
      roomId: z.uuid(),
      seq: Seq.describe("1, 2, 3 … within the room, without a gap"),
      text: z.string(),
      createdAt: Time,
      clientMsgId: z.uuid(),
      sender: User,
    }),
    example: {
      messageId: MESSAGE_ID,
      roomId: ROOM_ID,
      seq: LAST_SEQ,
      text: EXAMPLE.text,
      createdAt: TIME,
      clientMsgId: CLIENT_MSG_ID,
      sender: ALICE,
    },
  },
  "room:system": {
    summary:
      "Someone came or went, or the user was muted. Coming and going is left out in rooms with more than 200 sockets; of one user it is told at most four times a minute, then once at the end of the minute, if it has changed anything.",
    data: z.union([
      z.object({ type: z.enum(["join", "leave"]), ...RoomLine }),
      z.object({ type: z.literal("muted"), ...RoomLine, until: Time }),
    ]),
    example: { type: "join", roomId: ROOM_ID, user: ALICE, createdAt: TIME },
  },
  "room:roster": {
    summary:
      "The room's members, online first, at most 200 of them; the counts are exact.",
    data: z.object({
      roomId: z.uuid(),
      users: z.array(
        z.object({ ...User.shape, status: z.enum(["online", "offline"]) }),
      ),
      onlineCount: z.int(),
      memberCount: z.int(),
    }),
    example: {
      roomId: ROOM_ID,
      users: [{ ...ALICE, status: "online" }],
      onlineCount: 1,
      memberCount: 1,
    },
  },
  "room:read": {
    summary:
      "The user read the room on another device; to the user's own sockets only.",
    data: z.object({ roomId: z.uuid(), lastSeq: Seq }),
    example: { roomId: ROOM_ID, lastSeq: LAST_SEQ },
  },
  "typing:update": {
    summary: "Someone else types, or stopped.",
    data: z.object({ roomId: z.uuid(), user: User, isTyping: z.boolean() }),
    example: { roomId: ROOM_ID, user: ALICE, isTyping: true },
  },
  error: {
    summary: "A frame that cannot be acked was refused; the connection stays.",
    data: z.object({ code: z.enum(REFUSAL_CODES), message: z.string() }),
    example: { code: "bad_request", message: "the frame is not JSON" },
  },
  hello: {
    summary:
      "First event of an event stream (GET /api/events): the id to post frames under.",
    data: z.object({ connectionId: z.uuid() }),
    example: { connectionId: EXAMPLE.connectionId },
  },
};
