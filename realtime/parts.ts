/** Builds the parts of the realtime side, once and in order. */

import type { Config } from "../config.ts";
import type { Database } from "../db/engine/database.ts";
import {
  listMembers,
  memberRoomsAmong,
  type MembershipKey,
  missingMemberships,
  roomExists,
  storeReadMarkers,
} from "../db/memberships.ts";
import { listChanged, readChangesAfter } from "../db/change_history.ts";
import { changeMessages as storeChanges } from "../db/changes.ts";
import { findMessage, listAfter, listMissed } from "../db/message_history.ts";
import { findPosts, storeMessages } from "../db/messages.ts";
import { readEpoch, renewEpoch } from "../db/deployment.ts";
import { newestSeqs } from "../db/rooms.ts";
import { errorFields, type Log } from "../log.ts";
import { CHANGE_LIMIT, ChangeMessages } from "./changes/change_messages.ts";
import type { Broker } from "./cluster/broker.ts";
import { History } from "./cluster/history.ts";
import { Reconciler } from "./cluster/reconciler.ts";
import { Dispatch } from "./connection/dispatch.ts";
import type { HandlerParts } from "./connection/handler_parts.ts";
import { ConnectionRegistry } from "./connection/registry.ts";
import { SharedSockets } from "./connection/shared_sockets.ts";
import { createHandlers } from "./handlers.ts";
import { Membership } from "./membership/membership.ts";
import { createUserQueries } from "./membership/user_queries.ts";
import { messageOfRow, quoteOf } from "./messages/message_view.ts";
import { PostMessage } from "./messages/post_message.ts";
import type { RateLimitSettings } from "./messages/rate_limit.ts";
import { createLimit } from "./messages/shared_rate_limit.ts";
import { Writer } from "./messages/writer.ts";
import type { Metrics } from "./metrics.ts";
import { Presence } from "./presence/presence.ts";
import { Rosters } from "./presence/roster.ts";
import { SharedPresence } from "./presence/shared_presence.ts";
import { Typing } from "./presence/typing.ts";
import { CloseCode } from "./protocol/close_codes.ts";
import { ReadMarkers } from "./read_markers/read_markers.ts";
import { CatchUp } from "./rooms/catch_up.ts";
import { Hub } from "./rooms/hub.ts";
import { ReplayTurns } from "./rooms/replay_turns.ts";
import type { Timers } from "./timers.ts";
import { traced, tracedSync } from "./tracing.ts";

/** Batches of messages on their way to PostgreSQL at once; the embedded database takes one after another. */
const WRITER_LANES = 2;

export interface PartsOptions {
  config: Config;
  db: Database;
  log: Log;
  /** The time of day, in milliseconds since 1970. */
  clock: () => number;
  /** What durations are measured with, in milliseconds: it is never set back or forward. */
  steadyClock: () => number;
  timers: Timers;
  metrics: Metrics;
  broker: Broker;
  /** Names the history that the database has. */
  epoch: string;
  /** Whether the process is stopping. */
  isDraining: () => boolean;
}

export type Parts = ReturnType<typeof buildParts>;

/** Builds everything between a connection and the database. Nothing runs yet. */
export function buildParts(
  {
    config,
    db,
    log,
    clock,
    steadyClock,
    timers,
    metrics,
    broker,
    epoch,
    isDraining,
  }: PartsOptions,
) {
  const fail = (what: string) => (error: unknown) =>
    log.error(what, errorFields(error));
  // What is still being read when the process ends fails when the database is closed: that is no error.
  const failToRead = (what: string) => (error: unknown) => {
    if (!isDraining()) fail(what)(error);
  };
  const userQueries = createUserQueries({
    findPosts: (userId, messages) => findPosts(db, userId, messages),
    memberRooms: (userId, roomIds) => memberRoomsAmong(db, userId, roomIds),
    timers,
  });
  const { memberRooms } = userQueries;

  const connections: ConnectionRegistry = new ConnectionRegistry({
    ...config,
    broker,
    onReleased: (userId) => sharedSockets.released(userId),
  });
  const sharedSockets: SharedSockets = new SharedSockets({
    shared: broker.shared,
    others: () => sharedPresence.others(),
    countHere: (userId) => connections.placesOf(userId),
    maxSocketsPerUser: config.maxSocketsPerUser,
    timers,
  });
  const history: History = new History({
    epoch,
    readEpoch: () => readEpoch(db),
    renewEpoch: (known) => renewEpoch(db, known),
    newestOf: async (roomId) =>
      (await newestSeqs(db, [roomId]))[0]?.last_seq ?? 0,
    onChanged() {
      metrics.historyChanged();
      postMessage.forget();
      for (const connection of [...connections.all()]) {
        connection.close(CloseCode.restart, "another history");
      }
    },
    log,
  });
  const hub = new Hub({
    broker,
    clock: steadyClock,
    timers,
    readAfter: async (roomId, afterSeq, limit) =>
      (await listAfter(db, roomId, afterSeq, limit)).map(messageOfRow),
    readChanged: async (roomId, afterRev, limit) => {
      const { lastRev, rows } = await readChangesAfter(
        ...[db, roomId, afterRev, limit] as const,
      );
      return { lastRev, messages: rows.map(messageOfRow) };
    },
    onContradiction: (roomId, known) => void history.doubt(roomId, known),
    onDelivered: metrics.delivered,
    onHold: (subscription, roomId) => membership.held(subscription, roomId),
  });
  const presence: Presence = new Presence(
    connections,
    steadyClock,
    (userId, online) => sharedPresence.changedHere(userId, online),
  );
  const sharedPresence: SharedPresence = new SharedPresence({
    broker,
    isOnlineHere: (userId) => presence.isOnline(userId),
    onlineHere: () => presence.online(),
    onChange: (userId) => rosters.presenceChanged(userId),
    clock: steadyClock,
    timers,
    fail: fail("who is online could not be shared"),
  });
  const rosters: Rosters = new Rosters({
    hub,
    isOnline: (userId) => sharedPresence.isOnline(userId),
    loadMembers: (roomId) => listMembers(db, roomId),
    clock: steadyClock,
    timers,
    fail: failToRead("a roster could not be loaded"),
  });
  const typing = new Typing({
    hub,
    onChanged: (roomId, changes) =>
      broker.publish(`room:${roomId}`, { kind: "typing", roomId, changes }),
    clock: steadyClock,
    timers,
  });
  const readMarkers = new ReadMarkers({
    store: (marks) => storeReadMarkers(db, marks),
    clock,
    timers,
    fail: fail("reading positions could not be stored"),
  });
  const commits = {
    lanes: config.databaseUrl === undefined ? 1 : WRITER_LANES,
    ...{ clock, steadyClock, timers, log },
  };
  const writer = new Writer({
    ...commits,
    store: (messages, now) =>
      traced(
        "message write",
        { "chatket.messages": messages.length },
        () => storeMessages(db, messages, now),
      ),
    onStored: (roomId, messages) => {
      metrics.published(messages.length);
      tracedSync(
        "message fan-out",
        { "chatket.room": roomId, "chatket.messages": messages.length },
        () => hub.publish(roomId, messages),
      );
    },
    onWritten: metrics.written,
    onUncertain: (roomId) => hub.feed(roomId)?.mend(),
  });
  const limit = (settings: RateLimitSettings) =>
    createLimit(settings, broker.shared, { clock, steadyClock });
  const messageLimit = limit(config.rateLimit);
  const changeLimit = limit(CHANGE_LIMIT);
  const postMessage: PostMessage = new PostMessage({
    writer,
    limit: messageLimit.limit,
    lookUp: userQueries.lookUp,
    findQuote: async (roomId, messageId) => {
      const row = await findMessage(db, roomId, messageId);
      return row && quoteOf(messageOfRow(row));
    },
  });
  const changeMessages = new ChangeMessages({
    ...commits,
    store: (changes, decide, now) =>
      traced(
        "message change",
        { "chatket.changes": changes.length },
        () => storeChanges(db, changes, decide, now),
      ),
    limit: changeLimit.limit,
    onChanged: (changes) => hub.publishChanges(changes),
    onKnown: (roomId, rev) => hub.feed(roomId)?.changes.expect(rev),
    onUncertain: (roomId) => hub.feed(roomId)?.changes.mend(),
  });
  const catchUp = new CatchUp({
    hub,
    memberRooms,
    readMissed: async (positions, limit) =>
      (await listMissed(db, positions, limit)).map(messageOfRow),
    readChanged: async (positions, limit) =>
      (await listChanged(db, positions, limit)).map(messageOfRow),
    history,
    sendRoster: (connection, roomId) => rosters.sendTo(connection, roomId),
    turns: new ReplayTurns({ clock: steadyClock, timers }),
    timers,
    onReplayed: metrics.recovered,
  });
  const missingAmong = (keys: readonly MembershipKey[]) =>
    missingMemberships(db, keys);
  const membership: Membership = new Membership({
    ...{ db, hub, rosters, typing, broker, missingAmong, clock, timers },
    maxMembershipsPerUser: config.maxMembershipsPerUser,
    fail: failToRead("a membership could not be asked for"),
  });
  const reconciler = new Reconciler({
    hub,
    broker,
    newestOf: (roomIds) => newestSeqs(db, roomIds),
    missingAmong,
    onShrunk: (roomId, known) => void history.doubt(roomId, known),
    checkHistory: () => history.check(),
    onMissing: (key) => membership.foundMissing(key),
    isDone: isDraining,
    timers,
    fail: failToRead("what other processes have done could not be read"),
  });

  const handlerParts: HandlerParts = {
    connections,
    hub,
    catchUp,
    postMessage,
    changeMessages,
    typing,
    readMarkers,
    history,
    memberRooms,
    roomExists: (roomId) => roomExists(db, roomId),
    isDraining,
    clock,
  };
  const dispatch = new Dispatch(
    createHandlers(handlerParts),
    log,
    metrics.answered,
  );
  return {
    connections,
    sharedSockets,
    hub,
    presence,
    sharedPresence,
    rosters,
    typing,
    readMarkers,
    writer,
    changeMessages,
    rateLimits: [messageLimit.rateLimit, changeLimit.rateLimit],
    history,
    membership,
    reconciler,
    dispatch,
    handlerParts,
  };
}
