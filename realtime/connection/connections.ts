/** Opens connections on either transport, ends them, and knows which are open. */

import type { Config } from "../../config.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Broker, FrameResult } from "../cluster/broker.ts";
import { newConnectionId } from "../cluster/process_id.ts";
import type { Metrics } from "../metrics.ts";
import type { Parts } from "../parts.ts";
import { CloseCode } from "../protocol/close_codes.ts";
import type { UserRef } from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import { type Admission, Admissions } from "./admission.ts";
import { Connection } from "./connection.ts";
import { SharedSockets } from "./shared_sockets.ts";
import { type Refusal, SocketEntry } from "./socket_entry.ts";
import { sseTransport } from "./sse_transport.ts";

/** A socket that was admitted must open within this time, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

const RESTARTING: Refusal = { code: CloseCode.restart, reason: "restarting" };

const TOO_MANY_SOCKETS: Refusal = {
  code: CloseCode.tooManyFrames,
  reason: "too many open connections",
};

/** Whom a connection belongs to. */
export interface Session {
  user: UserRef;
  /** The session the token belongs to, if it belongs to one: its end closes the connection. */
  sessionId?: string | undefined;
  /** When the token was made, in milliseconds since 1970: without a session that says what ends it. */
  issuedAt: number;
  /** When the token ends, in milliseconds since 1970. */
  expiresAt: number;
}

export interface ConnectionsOptions {
  config: Config;
  parts: Parts;
  log: Log;
  /** The time of day, in milliseconds since 1970. */
  clock: () => number;
  /** What durations are measured with, in milliseconds. */
  steadyClock: () => number;
  timers: Timers;
  metrics: Metrics;
  broker: Broker;
  /** Whether the process is stopping: nobody is admitted then. */
  isDraining: () => boolean;
}

/** The doors of the realtime side and what comes in by them. */
export function createConnections(
  {
    config,
    parts,
    log,
    clock,
    steadyClock,
    timers,
    metrics,
    broker,
    isDraining,
  }: ConnectionsOptions,
) {
  const { hub, presence, sharedPresence, typing, dispatch } = parts;
  const admissions: Admissions = new Admissions(
    config,
    (userId) => sharedSockets.released(userId),
  );
  const sharedSockets = new SharedSockets({
    shared: broker.shared,
    others: () => sharedPresence.others(),
    countHere: (userId) => admissions.countOf(userId),
    maxSocketsPerUser: config.maxSocketsPerUser,
    timers,
  });
  const openSockets = new Set<WebSocket>();
  /** Sockets that are not let in yet. */
  const entries = new Set<SocketEntry>();

  function openConnection(session: Session, admission: Admission): Connection {
    const connection = new Connection({
      id: newConnectionId(broker.processId),
      ...session,
      frameLimit: config.frameLimit,
      clock: steadyClock,
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
    log.debug("connection opened", {
      connectionId: connection.id,
      userId: session.user.id,
    });
    return connection;
  }

  function closeAll(connections: Iterable<Connection>): void {
    for (const connection of [...connections]) {
      connection.close(CloseCode.tokenExpired, "signed out");
    }
  }

  function closeSessions(ids: ReadonlySet<string>): void {
    const belongs = ({ sessionId }: Connection) =>
      sessionId !== undefined && ids.has(sessionId);
    closeAll([...hub.connections()].filter(belongs));
  }

  function usersWithoutSession(): Set<string> {
    const users = new Set<string>();
    for (const { user, sessionId } of hub.connections()) {
      if (sessionId === undefined) users.add(user.id);
    }
    return users;
  }

  function closeTokensBefore(userId: string, moment: Date): void {
    const isOld = ({ sessionId, issuedAt }: Connection) =>
      sessionId === undefined && issuedAt < moment.getTime();
    closeAll([...hub.connectionsOf(userId)].filter(isOld));
  }

  const socketFailed = (error: unknown) =>
    log.error("a socket event failed", errorFields(error));

  /** Lets a socket in, once it is open and its verdict is there. */
  async function enter(
    entry: SocketEntry,
    admission: Admission,
    verdict: Promise<Session | Refusal>,
  ): Promise<void> {
    const cancelTimeout = timers.after(OPEN_TIMEOUT_MS, () => entry.expire());
    // Both are awaited, so that neither is an unhandled rejection when the other ends it.
    const [decided] = await Promise.allSettled([verdict, entry.opened]);
    cancelTimeout();
    if (entry.over) return;
    if (decided.status === "rejected") throw decided.reason;
    const session = decided.value;
    if ("code" in session) return entry.refuse(session);
    const hasPlace = await sharedSockets.hasPlace(session.user.id);
    if (entry.over) return;
    if (!hasPlace) return entry.refuse(TOO_MANY_SOCKETS);
    if (isDraining()) return entry.refuse(RESTARTING);
    entries.delete(entry);
    const connection = openConnection(session, admission);
    const { transport, begin } = entry.letIn({
      onText: (text) => connection.receive(text),
      onBinary: () => connection.receiveBinary(),
      onClosed: () => connection.lost(),
    });
    connection.attach(transport);
    presence.connected(connection);
    begin();
  }

  return {
    /**
     * Takes a place for a socket of the user, before the upgrade. It is given back when the connection
     * ends; who admits and then opens nothing releases it.
     */
    admit(
      userId: string,
      address: string,
    ): Admission | "draining" | "too_many_sockets" {
      if (isDraining()) return "draining";
      return admissions.admit(userId, address) ?? "too_many_sockets";
    },

    /** Sockets of users over all processes. */
    sharedSockets,

    /**
     * Serves a native WebSocket whose upgrade has just been answered.
     *
     * @param verdict whose socket it is, or why it is closed; what it rejects with is logged, and the
     *   client is told to come back
     */
    openSocket(
      admission: Admission,
      socket: WebSocket,
      verdict: Promise<Session | Refusal>,
    ): void {
      const entry = new SocketEntry(socket, {
        maxFrames: config.frameLimit.burst,
        timers,
        fail: socketFailed,
        onOpened() {
          metrics.opened();
          openSockets.add(socket);
          socket.addEventListener("close", () => openSockets.delete(socket));
        },
        onEnded(code) {
          entries.delete(entry);
          admission.release();
          if (entry.hasOpened) metrics.closed(code);
        },
      });
      entries.add(entry);
      enter(entry, admission, verdict).catch((error) => {
        log.warn("a socket could not be let in", errorFields(error));
        entry.refuse({ code: CloseCode.restart, reason: "try again" });
      });
    },

    /** Tells sockets that wait to be let in to come back. */
    refuseWaiting(): void {
      for (const entry of [...entries]) entry.refuse(RESTARTING);
    },

    /** Opens an event stream; its first event names the connection. */
    openStream(
      admission: Admission,
      session: Session,
    ): ReadableStream<Uint8Array> {
      const connection = openConnection(session, admission);
      metrics.opened();
      const { transport, body } = sseTransport({
        onClosed: () => connection.lost(),
      }, timers);
      connection.attach(transport);
      connection.sendEvent({
        event: "hello",
        data: { connectionId: connection.id },
      });
      presence.connected(connection);
      // It was admitted before the draining began, and has waited to be counted since.
      if (isDraining()) connection.close(RESTARTING.code, RESTARTING.reason);
      return body;
    },

    /**
     * Handles a frame that came by POST for an event stream of this process.
     *
     * @returns the answer as text (an ack, or an `error` event), undefined when the frame asked for
     *   none; `not_found` when the user has no such connection, or it ended before the answer
     */
    async postFrame(
      connectionId: string,
      userId: string,
      text: string,
    ): Promise<FrameResult> {
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

    /** Closes the connections of sessions that have ended. */
    closeSessions,

    /** Users with a connection whose token belongs to no session. */
    usersWithoutSession,

    /** Closes a user's connections whose token belongs to no session and was made before this moment. */
    closeTokensBefore,

    /** Closes a user's connections here: those of some sessions, or all. */
    signOut(userId: string, sessionIds?: readonly string[]): void {
      const connections = [...hub.connectionsOf(userId)];
      closeAll(
        sessionIds === undefined ? connections : connections.filter(
          ({ sessionId }) =>
            sessionId !== undefined && sessionIds.includes(sessionId),
        ),
      );
    },

    /** Closes the connections whose token has expired. */
    closeExpired(): void {
      const now = clock();
      for (const connection of [...hub.connections()]) {
        if (connection.expiresAt <= now) {
          connection.close(CloseCode.tokenExpired, "token expired");
        }
      }
    },

    /** Sockets that the runtime has not closed yet, also those whose connection has ended. */
    get openSockets(): number {
      return openSockets.size;
    },
  };
}
