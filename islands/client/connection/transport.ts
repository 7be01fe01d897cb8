/** The wire as the connection sees it: something that opens, carries envelopes and closes. */

import type {
  ClientEnvelope,
  ServerEnvelope,
} from "../../../realtime/protocol/protocol.ts";

/** What is reported when a line ended without a close frame (RFC 6455, 7.1.5). */
export const ABNORMAL_CLOSURE = 1006;

export interface Transport {
  /** Sends one envelope. Loss is reported by `closed`, never thrown. */
  send(envelope: ClientEnvelope): void;
  /** Ends the line; nothing is reported afterwards. */
  close(): void;
}

export interface TransportEvents {
  /** The server let us in. */
  opened(): void;
  /** One frame's envelopes, in order. */
  received(envelopes: ServerEnvelope[]): void;
  /** The line is gone, or never came to be. */
  closed(code: number): void;
}

/** Begins to open a line. */
export type OpenTransport = (events: TransportEvents) => Transport;

/** Reads a frame: one envelope or an array of them. Nonsense gives an empty list. */
export function parseFrame(text: string): ServerEnvelope[] {
  try {
    const frame: unknown = JSON.parse(text);
    return (Array.isArray(frame) ? frame : [frame]).filter((item) =>
      typeof item === "object" && item !== null
    );
  } catch {
    return [];
  }
}
