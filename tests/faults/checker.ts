/** Compares what clients were told and saw with what the database holds. Pure: no clock, no network. */

import { isDeepStrictEqual } from "node:util";
import type { Message } from "../../realtime/protocol/protocol.ts";
import {
  isOpen,
  keyOf,
  PERMANENT_REFUSALS,
  type Sent,
  type View,
  type Violation,
} from "./history.ts";

/** So many messages around the fault are quoted. */
const EXCERPT = 3;

/** What the database holds of a room. */
export interface StoredRoom {
  readonly roomId: string;
  /** `last_seq` of the room's row. */
  readonly lastSeq: number;
  /** `last_rev` of the room's row. */
  readonly lastRev: number;
  /** Messages up to this `seq` were checked before. */
  readonly checkedThrough: number;
  /** Its messages after `checkedThrough`, in order of `seq`. */
  readonly messages: readonly Message[];
  /** Messages of this room with a `seq` not above `checkedThrough`, where `sent` or a view needs them. */
  readonly earlier?: readonly Message[];
}

export interface CheckInput {
  readonly rooms: readonly StoredRoom[];
  readonly sent: readonly Sent[];
  readonly views: readonly View[];
}

/** All promises that were not kept; none when the list is empty. */
export function check({ rooms, sent, views }: CheckInput): Violation[] {
  return [
    ...rooms.flatMap(checkNumbers),
    ...checkIdentities(rooms, sent),
    ...checkAnswers(rooms, sent),
    ...checkOrders(sent),
    ...rooms.flatMap((room) =>
      views.filter(({ roomId }) => roomId === room.roomId)
        .flatMap((view) => checkView(room, view))
    ),
  ];
}

/** Numbers without gap or repeat, up to the room's own count; times that never go back. */
function checkNumbers(room: StoredRoom): Violation[] {
  const violations: Violation[] = [];
  let before: Message | undefined;
  room.messages.forEach((message, index) => {
    const expected = (before?.seq ?? room.checkedThrough) + 1;
    if (message.seq !== expected) {
      violations.push({
        rule: "seq has no gap and no repeat",
        detail: `room ${room.roomId}: ${expected} was due, not ${message.seq}` +
          excerpt(room.messages, index),
      });
    }
    if (before !== undefined && message.createdAt < before.createdAt) {
      violations.push({
        rule: "createdAt never decreases with seq",
        detail: `room ${room.roomId}` + excerpt(room.messages, index),
      });
    }
    before = message;
  });
  const last = room.messages.at(-1)?.seq ?? room.checkedThrough;
  if (last !== room.lastSeq) {
    violations.push({
      rule: "the room's count is that of its messages",
      detail:
        `room ${room.roomId}: last_seq ${room.lastSeq}, newest message ${last}`,
    });
  }
  return violations;
}

/** Every stored message was sent by somebody, once. */
function checkIdentities(
  rooms: readonly StoredRoom[],
  sent: readonly Sent[],
): Violation[] {
  const violations: Violation[] = [];
  const wanted = new Map(sent.map((each) => [keyOf(each), each]));
  const seen = new Map(
    rooms.flatMap((room) => room.earlier ?? [])
      .map((message) => [keyOfMessage(message), message]),
  );
  const ids = new Set<string>();
  for (const message of rooms.flatMap((room) => room.messages)) {
    const key = keyOfMessage(message);
    const first = seen.get(key);
    if (first !== undefined) {
      violations.push({
        rule: "a message is stored once",
        detail: `${describe(first)} and again ${describe(message)}`,
      });
    }
    seen.set(key, message);
    if (ids.has(message.messageId)) {
      violations.push({
        rule: "a messageId is unique",
        detail: describe(message),
      });
    }
    ids.add(message.messageId);
    const origin = wanted.get(key);
    // What was changed is compared with what its changes were acked as, by what everyone sees.
    const isAsSent = message.rev !== undefined ||
      origin?.text.trim() === message.text;
    if (origin === undefined || !isAsSent) {
      violations.push({
        rule: "only what was sent is stored",
        detail: `${describe(message)}; sent: ${origin?.text ?? "nothing"}`,
      });
    }
  }
  return violations;
}

/** What was acked is stored as the ack said; what was refused for good is not stored. */
function checkAnswers(
  rooms: readonly StoredRoom[],
  sent: readonly Sent[],
): Violation[] {
  const violations: Violation[] = [];
  const stored = new Map(
    rooms.flatMap((room) => [...room.earlier ?? [], ...room.messages])
      .map((message) => [keyOfMessage(message), message]),
  );
  for (const each of sent) {
    const row = stored.get(keyOf(each));
    for (const ack of each.acks) {
      if (row === undefined) {
        violations.push({
          rule: "what was acked is stored",
          detail: `${describeSent(each)} was acked as ${ack.seq}`,
        });
      } else if (
        ack.messageId !== row.messageId || ack.seq !== row.seq ||
        ack.createdAt !== row.createdAt
      ) {
        violations.push({
          rule: "an ack names the stored message",
          detail: `${JSON.stringify(ack)}, stored: ${describe(row)}`,
        });
      }
    }
    if (each.acks.filter((ack) => !ack.isDuplicate).length > 1) {
      violations.push({
        rule: "only the first ack is no duplicate",
        detail: `${describeSent(each)}: ${JSON.stringify(each.acks)}`,
      });
    }
    const refusal = each.refusals.find((code) => PERMANENT_REFUSALS.has(code));
    if (refusal !== undefined && row !== undefined) {
      violations.push({
        rule: "what was refused for good is not stored",
        detail: `${describe(row)} was refused as ${refusal}`,
      });
    }
    if (isOpen(each)) {
      violations.push({
        rule: "every message is answered in the end",
        detail: `${describeSent(each)} (${each.frames} frames, refused: ${
          each.refusals.join(", ") || "never"
        }, stored: ${row === undefined ? "no" : `as ${row.seq}`})`,
      });
    }
  }
  return violations;
}

/** Authors that send one after another find their messages in that order. */
function checkOrders(sent: readonly Sent[]): Violation[] {
  const violations: Violation[] = [];
  const ordered = sent.filter(({ order, acks }) =>
    order !== undefined && acks.length > 0
  );
  const runs = Map.groupBy(
    ordered,
    ({ author, roomId }) => `${author} ${roomId}`,
  );
  for (const run of runs.values()) {
    run.sort((a, b) => a.order! - b.order!);
    run.slice(1).forEach((each, index) => {
      const before = run[index]!;
      if (each.acks[0]!.seq < before.acks[0]!.seq) {
        violations.push({
          rule: "an author's messages keep their order",
          detail: `${describeSent(before)} is ${before.acks[0]!.seq}, ` +
            `${describeSent(each)} is ${each.acks[0]!.seq}`,
        });
      }
    });
  }
  return violations;
}

/** What a client holds is a run of the room's history, each message as it is stored. */
function checkView(room: StoredRoom, view: View): Violation[] {
  const violations: Violation[] = [];
  const violate = (rule: string, detail: string) =>
    violations.push({
      rule,
      detail: `${view.client} in room ${room.roomId}: ${detail}`,
    });
  const stored = new Map(
    [...room.earlier ?? [], ...room.messages].map((
      message,
    ) => [message.seq, message]),
  );
  view.messages.forEach((message, index) => {
    const before = view.messages[index - 1];
    if (before !== undefined && message.seq !== before.seq + 1) {
      violate(
        "a client sees each message once and in order",
        `${message.seq} came after ${before.seq}` +
          excerpt(view.messages, index),
      );
    }
    // Messages that were checked before are not read again unless somebody needs them.
    const row = stored.get(message.seq);
    if (row === undefined && message.seq <= room.checkedThrough) return;
    // What a page held that is gone has not learnt of later changes; what was checked before is not read again.
    const isPresent = view.mustBeComplete && message.seq > room.checkedThrough;
    const isRight = row !== undefined &&
      (isPresent ? isSame(row, message) : isSameMessage(row, message));
    if (!isRight) {
      violate(
        "a client sees what is stored",
        `saw ${describe(message)}, stored: ${
          row === undefined ? "nothing" : describe(row)
        }`,
      );
    }
  });
  const last = view.messages.at(-1)?.seq;
  if (last !== undefined && last !== view.position) {
    violate(
      "a position is that of the last message seen",
      `position ${view.position}, last message ${last}`,
    );
  }
  if (view.mustBeComplete && view.rev !== room.lastRev) {
    violate(
      "a client that is connected learns of every change",
      `it knows rev ${view.rev}, the room is at ${room.lastRev}`,
    );
  }
  if (view.mustBeComplete && view.position !== room.lastSeq) {
    violate(
      "a client that is connected gets everything",
      `it stands at ${view.position}, the room at ${room.lastSeq}`,
    );
  }
  return violations;
}

/** The same message in the same state. */
function isSame(a: Message, b: Message): boolean {
  return isSameMessage(a, b) && a.text === b.text && a.rev === b.rev &&
    a.editedAt === b.editedAt && a.deletedAt === b.deletedAt &&
    a.pinnedAt === b.pinnedAt &&
    isDeepStrictEqual(a.reactions, b.reactions) &&
    isDeepStrictEqual(a.replyTo, b.replyTo);
}

function isSameMessage(a: Message, b: Message): boolean {
  return a.messageId === b.messageId && a.seq === b.seq &&
    (a.text === b.text || a.rev !== b.rev) && a.createdAt === b.createdAt &&
    a.clientMsgId === b.clientMsgId &&
    a.roomId === b.roomId && a.sender.id === b.sender.id &&
    a.sender.username === b.sender.username;
}

function keyOfMessage(message: Message): string {
  return keyOf({ ...message, userId: message.sender.id });
}

function describe(message: Message): string {
  return `#${message.seq} ${message.messageId} by ${message.sender.username} ` +
    `(${message.clientMsgId}) ${message.createdAt} "${shorten(message.text)}"`;
}

function describeSent(sent: Sent): string {
  return `${sent.author}'s ${sent.clientMsgId} "${shorten(sent.text)}"`;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function excerpt(messages: readonly Message[], index: number): string {
  return messages.slice(Math.max(0, index - EXCERPT), index + EXCERPT)
    .map((message) => `\n    ${describe(message)}`).join("");
}
