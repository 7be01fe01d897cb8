/** Writes many messages fast, as one well-behaved client. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { ServerEnvelope } from "../../realtime/protocol/protocol.ts";
import type { Person, Served } from "../helpers/people.ts";

/** Messages without an ack at most. */
const MAX_IN_FLIGHT = 200;

/** How often a paced writer sends, in milliseconds. */
const TICK_MS = 10;

export interface BulkOptions {
  readonly roomId: string;
  readonly count: number;
  /** Messages a second; as fast as acks come when absent. */
  readonly rate?: number;
  /** Makes the text of message number 0, 1, 2 … */
  readonly text: (number: number) => string;
}

/** Resolves when every message was acked; rejects when one was refused or the line was lost. */
export async function writeMany(
  { origin }: Served,
  { token }: Pick<Person, "token">,
  { roomId, count, rate, text }: BulkOptions,
): Promise<void> {
  const socket = new WebSocket(`${origin.replace(/^http/, "ws")}/ws`, [
    SUBPROTOCOL,
    BEARER_PREFIX + token,
  ]);
  const done = Promise.withResolvers<void>();
  const startedAt = performance.now();
  let sent = 0;
  let acked = 0;
  const fill = () => {
    const due = rate === undefined
      ? count
      : (performance.now() - startedAt) * rate / 1_000;
    while (sent < Math.min(count, due) && sent - acked < MAX_IN_FLIGHT) {
      const clientMsgId = crypto.randomUUID();
      const data = { roomId, text: text(sent), clientMsgId };
      socket.send(JSON.stringify({ id: sent++, event: "message:send", data }));
    }
  };
  socket.onopen = fill;
  socket.onmessage = ({ data }) => {
    const parsed: ServerEnvelope | ServerEnvelope[] = JSON.parse(data);
    for (const envelope of Array.isArray(parsed) ? parsed : [parsed]) {
      if (!("ack" in envelope)) continue;
      if (!envelope.data.success) {
        done.reject(new Error(`refused: ${JSON.stringify(envelope)}`));
      }
      acked++;
    }
    if (acked === count) done.resolve();
    else if (rate === undefined) fill();
  };
  socket.onclose = ({ code }) =>
    done.reject(new Error(`closed with ${code} after ${acked} acks`));
  const timer = rate === undefined ? undefined : setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) fill();
  }, TICK_MS);
  try {
    await done.promise;
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
