/** What the routes see of the realtime side: its doors, its answers and its end. */

import type { Config } from "../config.ts";
import { type Database, poolCounts } from "../db/engine/database.ts";
import { listRevokedWithin, listTokensFrom } from "../db/sessions.ts";
import { errorFields, type Log } from "../log.ts";
import type { Broker, Signal } from "./cluster/broker.ts";
import {
  closeExpired,
  closeSessions,
  closeTokensBefore,
  closeUser,
  usersWithoutSession,
} from "./connection/close_sessions.ts";
import { Forwarding } from "./connection/forwarding.ts";
import { createGateway } from "./connection/gateway.ts";
import { watchRevocations } from "./connection/revocations.ts";
import { changeMessage } from "./changes/change_handlers.ts";
import { sendMessage } from "./messages/message_handlers.ts";
import type { Metrics } from "./metrics.ts";
import { buildParts } from "./parts.ts";
import { CloseCode } from "./protocol/close_codes.ts";
import { markRead } from "./read_markers/mark_read.ts";
import { stoppableTimers, type Timers } from "./timers.ts";

/** Silent users, expired tokens and old limits are looked for this often, in milliseconds. */
const SWEEP_INTERVAL_MS = 1_000;

/** At the end, messages on their way get this long to be stored and acked, in milliseconds. */
const WRITES_TIMEOUT_MS = 4_000;

/** At the end, reading positions get this long to be stored, in milliseconds. */
const READ_MARKERS_TIMEOUT_MS = 500;

/** Sockets get this long to take their last frames and the close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_500;

export interface RealtimeOptions {
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
  /** Names the history that the database has at the start. */
  epoch: string;
}

export type Realtime = ReturnType<typeof createRealtime>;

/** Starts the realtime side. Until the first connection nothing runs but two timers. */
export function createRealtime(options: RealtimeOptions) {
  const { db, log, clock, steadyClock, metrics, broker } = options;
  const timers = stoppableTimers(options.timers);
  let draining = false;
  const isDraining = () => draining;
  const parts = buildParts({ ...options, timers, isDraining });
  const gateway = createGateway({ ...options, parts, timers, isDraining });
  const { connections, sharedSockets, hub, presence, sharedPresence } = parts;
  const { rosters, readMarkers, writer, rateLimits, membership } = parts;
  const { reconciler, typing } = parts;
  const forwarding = new Forwarding({
    broker,
    handle: gateway.postFrame,
    timers,
  });

  function sweep(): void {
    timers.after(SWEEP_INTERVAL_MS, sweep);
    closeExpired(connections, clock());
    presence.sweep();
    sharedPresence.sweep();
    rosters.sweep();
    for (const limit of rateLimits) limit.sweep(steadyClock());
  }
  sweep();
  reconciler.start();
  broker.listen({
    received,
    up() {
      void sharedPresence.brokerUp();
      void sharedSockets.noteAll();
      reconciler.now();
      rosters.refresh();
    },
    down: () => reconciler.now(),
  });
  void broker.subscribe("presence");
  watchRevocations({
    listRevokedWithin: (milliseconds) => listRevokedWithin(db, milliseconds),
    listTokensFrom: (userIds) => listTokensFrom(db, userIds),
    usersWithoutSession: () => usersWithoutSession(connections),
    isNeeded: () => connections.size > 0,
    isDone: isDraining,
    closeSessions: (ids) => closeSessions(connections, ids),
    closeTokensBefore: (userId, moment) =>
      closeTokensBefore(connections, userId, moment),
    clock: steadyClock,
    timers,
    fail: (error) =>
      log.error("ended sessions could not be read", errorFields(error)),
  });
  metrics.watch({
    *waitingBytes() {
      for (const connection of connections.all()) yield connection.waitingBytes;
    },
    rooms: () => hub.roomCount,
    databasePool: () => poolCounts(db),
    brokerUp: () => broker.isUp,
  });

  /** Handles a signal of another process. */
  function received(signal: Signal): void {
    switch (signal.kind) {
      case "messages":
        hub.feed(signal.roomId)?.receive(signal.messages);
        return;
      case "changes":
        return hub.feed(signal.roomId)?.changes.expect(signal.rev);
      case "announcement":
        return hub.announceHere(signal.event);
      case "typing":
        return typing.changedElsewhere(signal.roomId, signal.changes);
      case "membership":
        return membership.changedElsewhere(signal.change);
      case "event":
        return connections.sendToUserHere(signal.userId, signal.event);
      case "sign_out":
        return closeUser(connections, signal.userId, signal.sessionIds);
      case "presence": {
        const { from, number, changes } = signal;
        return sharedPresence.changedElsewhere(from, number, changes);
      }
      case "alive":
        return sharedPresence.alive(signal.from, signal.number);
      case "hello":
        return sharedPresence.introduce();
      case "goodbye":
        return sharedPresence.gone(signal.from);
      case "frame":
        return void forwarding.received(signal.frame);
      case "frame_answer":
        return forwarding.answered(signal.id, signal.result);
    }
  }

  /** Closes a user's connections, of all sessions or some, in every process. */
  function signOut(userId: string, sessionIds?: readonly string[]): void {
    closeUser(connections, userId, sessionIds);
    void broker.publish(`user:${userId}`, {
      kind: "sign_out",
      userId,
      ...sessionIds && { sessionIds },
    });
  }

  return {
    membership,

    /** Whether the broker works; undefined when this is the only process. */
    get brokerUp(): boolean | undefined {
      return broker.isUp;
    },

    /** Whether {@link drain} has begun. */
    get draining(): boolean {
      return draining;
    },

    admit: gateway.admit,

    /** Whether a place that was taken is within the user's limit over all processes. */
    hasPlace: (userId: string): Promise<boolean> =>
      sharedSockets.hasPlace(userId),

    openSocket: gateway.openSocket,
    openStream: gateway.openStream,

    /** Handles a frame that came by POST for an event stream, see {@link Forwarding.post}. */
    postFrame: (connectionId: string, userId: string, text: string) =>
      forwarding.post(connectionId, userId, text),

    /** Closes all connections of a user: signed out everywhere, or gone. */
    closeUser: (userId: string): void => signOut(userId),

    /** Closes the connections of a user's session that has ended. */
    closeSession: (userId: string, sessionId: string): void =>
      signOut(userId, [sessionId]),

    statusOf: (userId: string): "online" | "offline" =>
      sharedPresence.isOnline(userId) ? "online" : "offline",

    /** Who is in a room, see {@link Rosters.read}. */
    readRoster: (roomId: string) => rosters.read(roomId),

    /** Marks a room as read, see {@link markRead}. */
    markRead: (
      userId: string,
      roomId: string,
      lastSeq: number,
    ): Promise<number | undefined> =>
      markRead(parts.handlerParts, userId, roomId, lastSeq),

    /** Stores the reading positions that wait, so that what is read next counts them. */
    flushReadMarkers: (): Promise<void> => readMarkers.flush(),

    /** Posts a message without a socket, as `message:send` does. Ids are in lower case. */
    post: sendMessage(parts.handlerParts),

    /** Changes a message without a socket, as `message:edit` and the others do. Ids are in lower case. */
    change: changeMessage(parts.handlerParts),

    /** Names the history that the database has. */
    get epoch(): string {
      return parts.history.epoch;
    },

    /**
     * Ends the realtime part: no new sockets, writes finished and acked, sockets closed with "come
     * back", streams ended, reading positions stored. Bounded in time by its parts.
     */
    async drain(): Promise<void> {
      draining = true;
      gateway.refuseWaiting();
      // A database that does not answer must not keep clients from being told to come back.
      const { postMessage } = parts.handlerParts;
      const written = Promise.all([
        postMessage.idle().then(() => writer.idle()),
        parts.changeMessages.idle(),
      ]);
      await Promise.race([written, pause(WRITES_TIMEOUT_MS)]);
      // Acks leave in a microtask of their own; the runtime needs a turn to write them.
      await pause(0);
      const closing = [...connections.all()];
      await Promise.race([
        Promise.all(closing.map((connection) => connection.drained())),
        pause(CLOSE_TIMEOUT_MS),
      ]);
      for (const connection of closing) {
        try {
          connection.close(CloseCode.restart, "restarting");
        } catch (error) {
          log.error("a connection could not be closed", errorFields(error));
        }
      }
      // The server's own shutdown would overtake the close frames with a code of its own.
      for (
        let waited = 0;
        waited < CLOSE_TIMEOUT_MS && gateway.openSockets > 0;
        waited += 20
      ) {
        await pause(20);
      }
      const stored = Promise.all([readMarkers.flush(), sharedPresence.leave()]);
      await Promise.race([stored, pause(READ_MARKERS_TIMEOUT_MS)]);
      timers.stop();
    },
  };

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => timers.after(ms, resolve));
  }
}
