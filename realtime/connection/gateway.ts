/** Opens connections on either transport. */

import type { Config } from "../../config.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Broker, FrameResult } from "../cluster/broker.ts";
import { newConnectionId } from "../cluster/process_id.ts";
import type { Metrics } from "../metrics.ts";
import type { Parts } from "../parts.ts";
import { CloseCode } from "../protocol/close_codes.ts";
import type { Timers } from "../timers.ts";
import { Connection } from "./connection.ts";
import type { Place } from "./registry.ts";
import type { Session } from "./session.ts";
import { type Refusal, SocketEntry } from "./socket_entry.ts";
import { sseTransport } from "./sse_transport.ts";

/** A socket that was admitted must open within this time, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

const RESTARTING: Refusal = { code: CloseCode.restart, reason: "restarting" };

const TOO_MANY_SOCKETS: Refusal = {
  code: CloseCode.tooManyFrames,
  reason: "too many open connections",
};

export interface GatewayOptions {
  config: Config;
  parts: Parts;
  log: Log;
  /** What durations are measured with, in milliseconds. */
  steadyClock: () => number;
  timers: Timers;
  metrics: Metrics;
  broker: Broker;
  /** Whether the process is stopping: no connection is admitted then. */
  isDraining: () => boolean;
}

/** Admits sockets and event streams and opens their connections. */
export function createGateway(
  {
    config,
    parts,
    log,
    steadyClock,
    timers,
    metrics,
    broker,
    isDraining,
  }: GatewayOptions,
) {
  const { connections, sharedSockets, hub, presence, typing, dispatch } = parts;
  const openSockets = new Set<WebSocket>();
  /** Sockets that are not let in yet. */
  const entries = new Set<SocketEntry>();

  function openConnection(session: Session, place: Place): Connection {
    const connection = new Connection({
      id: newConnectionId(broker.processId),
      ...session,
      frameLimit: config.frameLimit,
      clock: steadyClock,
      timers,
      onFrame: (connection, text, answer) => {
        presence.touch(connection);
        return dispatch.handle(connection, text, answer);
      },
      onClosed: (connection, code) => {
        typing.clearConnection(
          connection,
          hub.subscriptionsOf(connection).keys(),
        );
        hub.unsubscribeAll(connection);
        connections.remove(connection);
        presence.disconnected(connection);
        place.release();
        metrics.closed(code);
        log.debug("connection closed", { connectionId: connection.id, code });
      },
    });
    connections.add(connection);
    log.debug("connection opened", {
      connectionId: connection.id,
      userId: session.user.id,
    });
    return connection;
  }

  const socketFailed = (error: unknown) =>
    log.error("a socket event failed", errorFields(error));

  /** Lets a socket in, once it is open and its verdict is there. */
  async function enter(
    entry: SocketEntry,
    place: Place,
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
    const connection = openConnection(session, place);
    const { transport, begin } = entry.letIn({
      onText: (text) => connection.receive(text),
      onBinary: () => connection.receiveBinary(),
      onClosed: () => connection.lost(),
    });
    connection.attach(transport);
    presence.touch(connection);
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
    ): Place | "draining" | "too_many_sockets" {
      if (isDraining()) return "draining";
      return connections.admit(userId, address) ?? "too_many_sockets";
    },

    /**
     * Serves a native WebSocket whose upgrade has just been answered.
     *
     * @param verdict whose socket it is, or why it is closed; what it rejects with is logged, and the
     *   client is told to come back
     */
    openSocket(
      place: Place,
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
          place.release();
          if (entry.hasOpened) metrics.closed(code);
        },
      });
      entries.add(entry);
      enter(entry, place, verdict).catch((error) => {
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
      place: Place,
      session: Session,
    ): ReadableStream<Uint8Array> {
      const connection = openConnection(session, place);
      metrics.opened();
      const { transport, body } = sseTransport({
        onClosed: () => connection.lost(),
      }, timers);
      connection.attach(transport);
      connection.sendEvent({
        event: "hello",
        data: { connectionId: connection.id },
      });
      presence.touch(connection);
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
      const connection = connections.get(connectionId);
      if (connection === undefined || connection.user.id !== userId) {
        return "not_found";
      }
      const answer = await connection.receiveAnswered(text);
      // An end that came before the answer must not look like a frame that was taken.
      return answer === undefined && connection.closed
        ? "not_found"
        : { answer };
    },

    /** Sockets that the runtime has not closed yet, also those whose connection has ended. */
    get openSockets(): number {
      return openSockets.size;
    },
  };
}
