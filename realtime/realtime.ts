/** Builds the realtime parts, once and in order, and is what the routes see of them. */

import type { Config } from "../config.ts";
import { type Database, poolCounts } from "../db/database.ts";
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
import { listRevokedSince } from "../db/sessions.ts";
import { errorFields, type Log } from "../log.ts";
import { type Admission, Admissions } from "./admission.ts";
import { CatchUp } from "./catch_up.ts";
import { Connection } from "./connection.ts";
import { Dispatch } from "./dispatch.ts";
import type { HandlerParts } from "./handlers/parts.ts";
import { messageSend, sendMessage } from "./handlers/message_send.ts";
import { presencePing } from "./handlers/presence_ping.ts";
import { roomJoin } from "./handlers/room_join.ts";
import { roomLeave } from "./handlers/room_leave.ts";
import { roomRead } from "./handlers/room_read.ts";
import { roomsSync } from "./handlers/rooms_sync.ts";
import { typingUpdate } from "./handlers/typing_update.ts";
import { Hub } from "./hub.ts";
import { markRead } from "./mark_read.ts";
import type { Metrics } from "./metrics.ts";
import { Membership } from "./membership.ts";
import { messageOfRow } from "./message_view.ts";
import { PostMessage } from "./post_message.ts";
import { Presence } from "./presence.ts";
import { CloseCode, type MessageNew, type UserRef } from "./protocol.ts";
import { MessageRateLimit } from "./rate_limit.ts";
import { watchRevocations } from "./revocations.ts";
import { Rosters } from "./roster.ts";
import { Seen } from "./seen.ts";
import { sseTransport } from "./sse_transport.ts";
import type { Timers } from "./timers.ts";
import { stoppableTimers } from "./timers.ts";
import { traced, tracedSync } from "./tracing.ts";
import { Typing } from "./typing.ts";
import { webSocketTransport } from "./websocket_transport.ts";
import { type CommittedMessage, Writer } from "./writer.ts";

/** Silent users, expired tokens and old limits are looked for this often, in milliseconds. */
const SWEEP_INTERVAL_MS = 1_000;

/** Batches of messages on their way to PostgreSQL at once; the embedded database takes one after another. */
const WRITER_LANES = 2;

/** A socket that was admitted must open within this time, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

/** At the end, messages on their way get this long to be stored and acked, in milliseconds. */
const WRITES_TIMEOUT_MS = 4_000;

/** At the end, reading positions get this long to be stored, in milliseconds. */
const SEEN_TIMEOUT_MS = 500;

/** Sockets get this long to take their last frames and the close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_500;

/** Whom a connection belongs to. */
export interface Session {
  user: UserRef;
  /** The session the token belongs to, if it belongs to one: its end closes the connection. */
  sessionId?: string | undefined;
  /** When the token ends, in milliseconds since 1970. */
  expiresAt: number;
}

export interface RealtimeOptions {
  config: Config;
  db: Database;
  log: Log;
  clock: () => number;
  timers: Timers;
  metrics: Metrics;
}

export type Realtime = ReturnType<typeof createRealtime>;

/** Builds the hub and everything around it. Nothing runs before the first connection but one timer. */
export function createRealtime(
  { config, db, log, clock, timers: givenTimers, metrics }: RealtimeOptions,
) {
  const timers = stoppableTimers(givenTimers);
  const fail = (what: string) => (error: unknown) =>
    log.error(what, errorFields(error));
  const memberRooms = (userId: string, roomIds: string[]) =>
    memberRoomsAmong(db, userId, roomIds);
  let draining = false;

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

  const parts: HandlerParts = {
    hub,
    catchUp,
    postMessage,
    typing,
    seen,
    memberRooms,
    roomExists: (roomId) => roomExists(db, roomId),
    isDraining: () => draining,
    clock,
  };
  const dispatch = new Dispatch(
    {
      "rooms:sync": roomsSync(parts),
      "room:join": roomJoin(parts),
      "room:leave": roomLeave(parts),
      "room:read": roomRead(parts),
      "message:send": messageSend(parts),
      "typing:update": typingUpdate(parts),
      "presence:ping": presencePing(),
    },
    log,
    metrics.answered,
  );
  const admissions = new Admissions(config);
  /** Sockets that the runtime has not closed yet, also those whose connection has ended. */
  const openSockets = new Set<WebSocket>();

  function openConnection(session: Session, admission: Admission): Connection {
    const connection = new Connection({
      id: crypto.randomUUID(),
      ...session,
      frameLimit: config.frameLimit,
      clock,
      timers,
      onFrame: (connection, text, answer) => {
        presence.heard(connection);
        return dispatch.handle(connection, text, answer);
      },
      onClosed: (connection, code) => {
        typing.clearConnection(connection, connection.rooms.keys());
        hub.remove(connection);
        presence.disconnected(connection);
        admission.release();
        metrics.closed(code);
        log.debug("connection closed", { connectionId: connection.id, code });
      },
    });
    hub.add(connection);
    metrics.opened();
    log.debug("connection opened", {
      connectionId: connection.id,
      userId: session.user.id,
    });
    return connection;
  }

  function sweep(): void {
    timers.after(SWEEP_INTERVAL_MS, sweep);
    const now = clock();
    for (const connection of [...hub.connections()]) {
      if (connection.expiresAt <= now) {
        connection.close(CloseCode.tokenExpired, "token expired");
      }
    }
    presence.sweep();
    rosters.sweep();
    rateLimit.sweep(now);
  }
  sweep();

  function closeAll(connections: Iterable<Connection>): void {
    for (const connection of [...connections]) {
      connection.close(CloseCode.tokenExpired, "signed out");
    }
  }

  /** Closes the connections of sessions that have ended. */
  function closeSessions(ids: ReadonlySet<string>): void {
    const belongs = ({ sessionId }: Connection) =>
      sessionId !== undefined && ids.has(sessionId);
    closeAll([...hub.connections()].filter(belongs));
  }
  watchRevocations({
    listRevokedSince: (since) => listRevokedSince(db, since),
    isNeeded: () => hub.connectionCount > 0,
    isDone: () => draining,
    closeSessions,
    clock,
    timers,
    fail: fail("ended sessions could not be read"),
  });
  metrics.watch({
    *waitingBytes() {
      for (const connection of hub.connections()) yield connection.waitingBytes;
    },
    rooms: () => hub.roomCount,
    databasePool: () => poolCounts(db),
  });

  return {
    membership,

    /** Whether {@link drain} has begun. */
    get draining(): boolean {
      return draining;
    },

    /**
     * Takes a place for a socket of the user, before the upgrade. It is given back when the connection
     * ends; who admits and then opens nothing releases it.
     */
    admit(
      userId: string,
      address: string,
    ): Admission | "draining" | "too_many_sockets" {
      if (draining) return "draining";
      return admissions.admit(userId, address) ?? "too_many_sockets";
    },

    /** Serves a native WebSocket whose upgrade has just been answered. */
    openSocket(
      admission: Admission,
      socket: WebSocket,
      session: Session,
    ): void {
      const cancelTimeout = timers.after(OPEN_TIMEOUT_MS, admission.release);
      socket.onclose = socket.onerror = () => {
        cancelTimeout();
        admission.release();
      };
      socket.onopen = () => {
        // Handlers that have done their work would stay with the socket for its life.
        socket.onopen = null;
        cancelTimeout();
        openSockets.add(socket);
        socket.addEventListener("close", () => openSockets.delete(socket));
        const connection = openConnection(session, admission);
        connection.attach(webSocketTransport(
          socket,
          {
            onText: (text) => connection.receive(text),
            onBinary: () => connection.receiveBinary(),
            onClosed: () => connection.lost(),
          },
          timers,
          fail("a socket event failed"),
        ));
        presence.connected(connection);
        if (draining) connection.close(CloseCode.restart, "restarting");
      };
    },

    /** Opens an event stream; its first event names the connection. */
    openStream(
      admission: Admission,
      session: Session,
    ): ReadableStream<Uint8Array> {
      const connection = openConnection(session, admission);
      const { transport, body } = sseTransport({
        onClosed: () => connection.lost(),
      }, timers);
      connection.attach(transport);
      connection.sendEvent({
        event: "hello",
        data: { connectionId: connection.id },
      });
      presence.connected(connection);
      return body;
    },

    /**
     * Handles a frame that came by POST for an event stream.
     *
     * @returns the answer as text (an ack, or an `error` event), undefined when the frame asked for
     *   none; `not_found` when the user has no such connection, or it ended before the answer
     */
    async postFrame(
      connectionId: string,
      userId: string,
      text: string,
    ): Promise<{ answer: string | undefined } | "not_found"> {
      const connection = hub.connection(connectionId);
      if (connection === undefined || connection.user.id !== userId) {
        return "not_found";
      }
      const answer = await connection.receiveAnswered(text);
      // An end that came before the answer must not look like a frame that was taken.
      return answer === undefined && connection.closed
        ? "not_found"
        : { answer };
    },

    statusOf: (userId: string): "online" | "offline" =>
      presence.isOnline(userId) ? "online" : "offline",

    /** Closes the connections of a session that has ended. */
    closeSession: (sessionId: string): void =>
      closeSessions(new Set([sessionId])),

    /** Closes all connections of a user: signed out everywhere, or gone. */
    closeUser: (userId: string): void => closeAll(hub.connectionsOf(userId)),

    /** Marks a room as read, see {@link markRead}. */
    markRead: (
      userId: string,
      roomId: string,
      lastSeq: number,
    ): Promise<number | undefined> => markRead(parts, userId, roomId, lastSeq),

    /** Stores the reading positions that wait, so that what is read next counts them. */
    flushSeen: (): Promise<void> => seen.flush(),

    /** Posts a message without a socket, as `message:send` does. Ids are in lower case. */
    post: sendMessage(parts),

    /**
     * Ends the realtime part: no new sockets, writes finished and acked, sockets closed with "come
     * back", streams ended, reading positions stored. Bounded in time by its parts.
     */
    async drain(): Promise<void> {
      draining = true;
      // A database that does not answer must not keep clients from being told to come back.
      await Promise.race([writer.idle(), pause(WRITES_TIMEOUT_MS)]);
      // Acks leave in a microtask of their own; the runtime needs a turn to write them.
      await pause(0);
      const closing = [...hub.connections()];
      await Promise.race([
        Promise.all(closing.map((connection) => connection.drained())),
        pause(CLOSE_TIMEOUT_MS),
      ]);
      for (const connection of closing) {
        connection.close(CloseCode.restart, "restarting");
      }
      // The server's own shutdown would overtake the close frames with a code of its own.
      for (
        let waited = 0;
        waited < CLOSE_TIMEOUT_MS && openSockets.size > 0;
        waited += 20
      ) {
        await pause(20);
      }
      await Promise.race([seen.flush(), pause(SEEN_TIMEOUT_MS)]);
      timers.stop();
    },
  };

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => timers.after(ms, resolve));
  }
}

/** A message that has just been committed, as clients see it. */
function messageOfCommit(committed: CommittedMessage): MessageNew {
  const { message, sender, seq, createdAt } = committed;
  return {
    messageId: message.id,
    roomId: message.roomId,
    seq,
    text: message.text,
    createdAt: createdAt.toISOString(),
    clientMsgId: message.clientMsgId,
    sender,
  };
}
