/** What the tests of writer share. */

import type { NewMessage, StoredMessage } from "../../db/messages.ts";
import type { Refused, Stored } from "../../realtime/messages/post_result.ts";
import { type Draft, Writer } from "../../realtime/messages/writer.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { silentLog } from "../helpers/log.ts";
import { createGate, createUser } from "./fakes.ts";

export const SENDER = createUser("sender");

/** A table of messages with the promises of `storeMessages`: numbers in order, a client id once. */
export function createTable() {
  const rows = new Map<string, NewMessage & { seq: number; at: Date }>();
  const lastSeq = new Map<string, number>();
  return {
    rows,
    /** Rooms whose messages are left out: nobody is a member of them. */
    foreign: new Set<string>(),
    store(messages: readonly NewMessage[], now: Date): StoredMessage[] {
      return messages.flatMap((message, index) => {
        if (this.foreign.has(message.roomId)) return [];
        const key = [message.userId, message.roomId, message.clientMsgId]
          .join();
        let row = rows.get(key);
        if (row === undefined) {
          const seq = (lastSeq.get(message.roomId) ?? 0) + 1;
          lastSeq.set(message.roomId, seq);
          rows.set(key, row = { ...message, seq, at: now });
        }
        return [{ index, id: row.id, seq: row.seq, created_at: row.at }];
      });
    },
  };
}

export function createWriter(lanes = 2) {
  const clock = createFakeClock();
  const table = createTable();
  const gate = createGate<[readonly NewMessage[], Date], StoredMessage[]>();
  /** Everything that was told, in order: `room:seq` when published, `ack …` when settled. */
  const told: string[] = [];
  const uncertain: string[] = [];
  const writer = new Writer({
    store: gate.call,
    onStored: (roomId, committed) =>
      told.push(...committed.map(({ seq }) => `${roomId}:${seq}`)),
    onUncertain: (roomId) => uncertain.push(roomId),
    lanes,
    clock: clock.now,
    steadyClock: clock.now,
    timers: clock,
    log: silentLog,
  });
  return {
    clock,
    table,
    gate,
    told,
    uncertain,
    writer,
    write(roomId: string, message: Partial<Draft> = {}) {
      const full = {
        id: crypto.randomUUID(),
        roomId,
        userId: SENDER.id,
        clientMsgId: crypto.randomUUID(),
        text: "hello",
        ...message,
      };
      const result: { message: NewMessage; now?: Stored | Refused } = {
        message: full,
      };
      writer.write(full, SENDER).then((settled) => {
        result.now = settled;
        told.push(
          settled.kind === "stored"
            ? `ack ${roomId}:${settled.seq}`
            : `refused ${roomId} ${settled.code}`,
        );
      });
      return result;
    },
    /** Lets the oldest statement that waits be stored; gives how many messages it had. */
    async commit() {
      const { args: [messages, now], resolve } = gate.next();
      resolve(table.store(messages, now));
      await clock.advance(0);
      return messages.length;
    },
    /** The oldest statement that waits fails, after it was stored or not. */
    async fail(error: Error, stored: "stored" | "not stored" = "not stored") {
      const { args: [messages, now], reject } = gate.next();
      if (stored === "stored") table.store(messages, now);
      reject(error);
      await clock.advance(0);
    },
    /** Rooms of the statements that wait, as text. */
    waiting: () =>
      gate.calls.map(({ args: [messages] }) =>
        messages.map(({ roomId }) => roomId).join("")
      ),
  };
}
