/** Builds the parts of the realtime side, once and in order. */

import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import {
  listMembers,
  memberRoomsAmong,
  roomExists,
  storeSeenMarks,
} from "../db/memberships.ts";
import {
  findByClientId,
  listAfter,
  listMissed,
  storeMessages,
} from "../db/messages.ts";
import { errorFields, type Log } from "../log.ts";
import { CatchUp } from "./catch_up.ts";
import { Dispatch } from "./dispatch.ts";
import { messageSend } from "./handlers/message_send.ts";
import type { HandlerParts } from "./handlers/parts.ts";
import { presencePing } from "./handlers/presence_ping.ts";
import { roomJoin } from "./handlers/room_join.ts";
import { roomLeave } from "./handlers/room_leave.ts";
import { roomRead } from "./handlers/room_read.ts";
import { roomsSync } from "./handlers/rooms_sync.ts";
import { typingUpdate } from "./handlers/typing_update.ts";
import { Hub } from "./hub.ts";
import { Membership } from "./membership.ts";
import { messageOfCommit, messageOfRow } from "./message_view.ts";
import type { Metrics } from "./metrics.ts";
import { PostMessage } from "./post_message.ts";
import { Presence } from "./presence.ts";
import { MessageRateLimit } from "./rate_limit.ts";
import { Rosters } from "./roster.ts";
import { Seen } from "./seen.ts";
import type { Timers } from "./timers.ts";
import { traced, tracedSync } from "./tracing.ts";
import { Typing } from "./typing.ts";
import { Writer } from "./writer.ts";

/** Batches of messages on their way to PostgreSQL at once; the embedded database takes one after another. */
const WRITER_LANES = 2;

export interface PartsOptions {
  config: Config;
  db: Database;
  log: Log;
  clock: () => number;
  timers: Timers;
  metrics: Metrics;
  /** Whether the process is stopping. */
  isDraining: () => boolean;
}

export type Parts = ReturnType<typeof buildParts>;

/** Builds everything between a connection and the database. Nothing runs yet. */
export function buildParts(
  { config, db, log, clock, timers, metrics, isDraining }: PartsOptions,
) {
  const fail = (what: string) => (error: unknown) =>
    log.error(what, errorFields(error));
  const memberRooms = (userId: string, roomIds: string[]) =>
    memberRoomsAmong(db, userId, roomIds);

  const hub = new Hub({
    clock,
    timers,
    readAfter: async (roomId, afterSeq, limit) =>
      (await listAfter(db, roomId, afterSeq, limit)).map(messageOfRow),
    onDelivered: metrics.delivered,
  });
  const presence: Presence = new Presence(
    clock,
    (userId) => rosters.presenceChanged(userId),
  );
  const rosters: Rosters = new Rosters({
    hub,
    isOnline: (userId) => presence.isOnline(userId),
    loadMembers: (roomId) => listMembers(db, roomId),
    clock,
    timers,
    fail: fail("a roster could not be loaded"),
  });
  const typing = new Typing({ hub, clock, timers });
  const seen = new Seen({
    store: (marks) => storeSeenMarks(db, marks),
    clock,
    timers,
    fail: fail("reading positions could not be stored"),
  });
  const writer = new Writer({
    store: (messages, now) =>
      traced(
        "message write",
        { "chatket.messages": messages.length },
        () => storeMessages(db, messages, now),
      ),
    onStored: (roomId, committed) => {
      metrics.published(committed.length);
      tracedSync(
        "message fan-out",
        { "chatket.room": roomId, "chatket.messages": committed.length },
        () => hub.publish(roomId, committed.map(messageOfCommit)),
      );
    },
    onWritten: metrics.written,
    onUncertain: (roomId) => hub.feed(roomId)?.mend(),
    lanes: config.databaseUrl === undefined ? 1 : WRITER_LANES,
    clock,
    timers,
    log,
  });
  const rateLimit = new MessageRateLimit(config.rateLimit);
  const postMessage = new PostMessage({
    writer,
    rateLimit,
    lookUp: async (message) => {
      const [exists, [room], stored] = await Promise.all([
        roomExists(db, message.roomId),
        memberRooms(message.userId, [message.roomId]),
        findByClientId(db, message),
      ]);
      return { roomExists: exists, isMember: room !== undefined, stored };
    },
    clock,
  });
  const catchUp = new CatchUp({
    hub,
    memberRooms,
    readMissed: async (positions, limit) =>
      (await listMissed(db, positions, limit)).map(messageOfRow),
    sendRoster: (connection, roomId) => rosters.sendTo(connection, roomId),
    onReplayed: metrics.recovered,
  });
  const membership = new Membership({ db, hub, rosters, typing, clock });

  const handlerParts: HandlerParts = {
    hub,
    catchUp,
    postMessage,
    typing,
    seen,
    memberRooms,
    roomExists: (roomId) => roomExists(db, roomId),
    isDraining,
    clock,
  };
  const dispatch = new Dispatch(
    {
      "rooms:sync": roomsSync(handlerParts),
      "room:join": roomJoin(handlerParts),
      "room:leave": roomLeave(handlerParts),
      "room:read": roomRead(handlerParts),
      "message:send": messageSend(handlerParts),
      "typing:update": typingUpdate(handlerParts),
      "presence:ping": presencePing(),
    },
    log,
    metrics.answered,
  );
  return {
    hub,
    presence,
    rosters,
    typing,
    seen,
    writer,
    rateLimit,
    membership,
    dispatch,
    handlerParts,
  };
}
