/** How a server is spoken to: ChatKet's envelopes, or socket.io's packets over a WebSocket. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { Wire, WireOptions } from "./wire.ts";

export type Ack = { success: boolean; [key: string]: unknown };

export interface Dialect {
  wire(token: string): Pick<WireOptions, "path" | "protocols" | "heartbeat">;
  /** What follows the upgrade, until events may be sent. */
  greet(wire: Wire, token: string): Promise<void>;
  request(id: number, event: string, data: unknown): string;
  /** Calls back for each ack in a frame. */
  readAcks(frame: string, onAck: (id: number, ack: Ack) => void): void;
}

export type DialectName = "chatket" | "socket.io";

const chatket: Dialect = {
  wire: (token) => ({
    path: "/ws",
    protocols: [SUBPROTOCOL, BEARER_PREFIX + token],
  }),
  greet: () => Promise.resolve(),
  request: (id, event, data) => JSON.stringify({ id, event, data }),
  readAcks(frame, onAck) {
    if (!frame.includes('"ack":')) return;
    type Envelope = { ack?: number; data: Ack };
    const parsed: Envelope | Envelope[] = JSON.parse(frame);
    for (const { ack, data } of Array.isArray(parsed) ? parsed : [parsed]) {
      if (ack !== undefined) onAck(ack, data);
    }
  },
};

/** Engine.IO packet types, then Socket.IO's: https://socket.io/docs/v4/socket-io-protocol/ */
const socketIo: Dialect = {
  wire: () => ({
    path: "/socket.io/?EIO=4&transport=websocket",
    protocols: [],
    heartbeat: { ping: "2", pong: "3" },
  }),
  greet(wire, token) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    wire.onText = (text) => {
      if (text.startsWith("0{")) wire.send(`40${JSON.stringify({ token })}`);
      else if (text.startsWith("40")) resolve();
      else reject(new Error(`refused: ${text}`));
    };
    wire.onClosed = () => reject(new Error("closed while greeting"));
    return promise;
  },
  request: (id, event, data) => `42${id}${JSON.stringify([event, data])}`,
  readAcks(frame, onAck) {
    if (!frame.startsWith("43")) return;
    const start = frame.indexOf("[");
    const [ack]: Ack[] = JSON.parse(frame.slice(start));
    onAck(Number(frame.slice(2, start)), ack!);
  },
};

export const DIALECTS: Record<DialectName, Dialect> = {
  chatket,
  "socket.io": socketIo,
};
