/** ChatKet's envelopes, as the load writes and reads them. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { WireOptions } from "./wire.ts";

export type Ack = { success: boolean; [key: string]: unknown };

/** What a client asks for when it connects. */
export function upgradeOf(
  token: string,
): Pick<WireOptions, "path" | "protocols"> {
  return { path: "/ws", protocols: [SUBPROTOCOL, BEARER_PREFIX + token] };
}

export function request(id: number, event: string, data: unknown): string {
  return JSON.stringify({ id, event, data });
}

/** Calls back for each ack in a frame. */
export function readAcks(
  frame: string,
  onAck: (id: number, ack: Ack) => void,
): void {
  if (!frame.includes('"ack":')) return;
  type Envelope = { ack?: number; data: Ack };
  const parsed: Envelope | Envelope[] = JSON.parse(frame);
  for (const { ack, data } of Array.isArray(parsed) ? parsed : [parsed]) {
    if (ack !== undefined) onAck(ack, data);
  }
}
