/**
 * What comes of changes, one after the other, on what is stored: who may, what has an effect, and what is
 * to be written for all of them together. Pure: `db/changes.ts` reads before and writes after.
 */

import type {
  ChangeTarget,
  ChangeWrites,
  MessageChange,
  TargetMessage,
} from "../../db/changes.ts";
import {
  type MessageDraft,
  messageDraft,
  type RoomDraft,
  roomDraft,
  writesOf,
} from "./change_drafts.ts";
import { type Action, type Denial, denialOf } from "../policy.ts";
import { MAX_PINS, MAX_REACTION_EMOJI } from "../protocol/limits.ts";

/** Why a change is refused; each is a problem of the API and a refusal of the protocol. */
export type ChangeDenial =
  | Denial
  | "message_not_found"
  | "message_deleted"
  | "edit_conflict"
  | "reaction_limit"
  | "pin_limit"
  | "too_many_requests";

/** What came of a change. `rev` is the message's last: also where nothing had to be changed. */
export type ChangeOutcome =
  | { kind: "done"; rev: number; isChanged: boolean }
  | { kind: "refused"; code: ChangeDenial };

export interface ChangeDecision {
  /** In the order of the changes. */
  outcomes: ChangeOutcome[];
  /** The `rev` of each changed room before these changes. */
  before: Map<string, number>;
  writes: ChangeWrites;
}

const ACTIONS: Record<MessageChange["kind"], Action> = {
  edit: "edit",
  delete: "delete",
  reaction: "react",
  pin: "pin",
};

/**
 * Applies changes in their order.
 *
 * @param targets what is stored about each of them
 * @param now the time of the edits
 */
export function decideChanges(
  changes: readonly MessageChange[],
  targets: readonly ChangeTarget[],
  now: Date,
): ChangeDecision {
  const rooms = new Map<string, RoomDraft>();
  const messages = new Map<string, MessageDraft>();
  const outcomes = changes.map((change, index): ChangeOutcome => {
    const target = targets[index]!;
    const denial = findDenial(change, target);
    if (denial !== undefined) return { kind: "refused", code: denial };
    let room = roomDraft(rooms, change, target);
    let message = messageDraft(messages, change, target);
    // Tried out: what would change something is refused.
    if (change.isOverLimit) {
      [room, message] = structuredClone([room, message]);
    }
    const effect = apply(change, target, message, room, now);
    if (typeof effect === "string") return { kind: "refused", code: effect };
    if (effect && change.isOverLimit) {
      return { kind: "refused", code: "too_many_requests" };
    }
    if (effect) message.rev = ++room.lastRev;
    return { kind: "done", rev: message.rev, isChanged: effect };
  });
  return {
    outcomes,
    before: new Map([...rooms].map(([id, { before }]) => [id, before])),
    writes: writesOf(rooms, messages),
  };
}

function findDenial(
  { kind, userId }: MessageChange,
  { room, isMember, message }: ChangeTarget,
): ChangeDenial | undefined {
  const standing = {
    roomExists: room !== undefined,
    isMember,
    isModerator: room?.createdBy === userId,
  };
  const denial = denialOf(ACTIONS[kind], standing, message?.userId === userId);
  if (denial === "forbidden" && message === undefined) {
    return "message_not_found";
  }
  return denial ?? (message === undefined ? "message_not_found" : undefined);
}

/** @returns whether it changes anything, or why it is refused */
function apply(
  change: MessageChange,
  target: ChangeTarget,
  message: MessageDraft,
  room: RoomDraft,
  now: Date,
): boolean | ChangeDenial {
  const isDeleted = message.stored.isDeleted || message.deletedBy !== undefined;
  const rev = room.lastRev + 1;
  if (change.kind === "delete") {
    if (isDeleted) return false;
    message.deletedBy = message.stored.userId === change.userId
      ? "author"
      : "moderator";
    if (message.pin !== undefined) room.pinCount--;
    return true;
  }
  if (isDeleted) return "message_deleted";
  switch (change.kind) {
    case "edit":
      return edit(change, target.message!, message, rev, now);
    case "reaction":
      return react(change, target.message!, message, rev);
    case "pin":
      return pin(change, message, room, rev);
  }
}

function edit(
  { text, baseRev }: MessageChange & { kind: "edit" },
  stored: TargetMessage,
  message: MessageDraft,
  rev: number,
  now: Date,
): boolean | ChangeDenial {
  // An edit whose ack was lost comes again with what it was based on: it has happened.
  if (text === message.text) return false;
  if (baseRev !== undefined && baseRev < message.textRev) {
    return "edit_conflict";
  }
  const earlier = message.versions.length;
  message.versions.push({
    number: stored.edits + earlier + 1,
    text: message.text,
    at: earlier === 0 ? stored.writtenAt : now,
  });
  message.text = text;
  message.textRev = rev;
  return true;
}

function react(
  { emoji, on, userId }: MessageChange & { kind: "reaction" },
  stored: TargetMessage,
  message: MessageDraft,
  rev: number,
): boolean | ChangeDenial {
  message.emoji ??= new Map(
    stored.emoji.map(({ emoji, ...counted }) => [emoji, counted]),
  );
  const key = `${emoji} ${userId}`;
  let reaction = message.reactions.get(key);
  if (reaction === undefined) {
    const isStored = stored.isReacted;
    const state = { isStored, isOn: isStored, rev: 0, firstRev: 0 };
    message.reactions.set(key, reaction = { emoji, userId, ...state });
  }
  if (reaction.isOn === on) return false;
  const counted = message.emoji.get(emoji);
  if (on) {
    if (counted === undefined && message.emoji.size >= MAX_REACTION_EMOJI) {
      return "reaction_limit";
    }
    const { count, firstRev } = counted ?? { count: 0, firstRev: rev };
    message.emoji.set(emoji, { count: count + 1, firstRev });
    Object.assign(reaction, { rev, firstRev });
  } else if (counted === undefined || counted.count <= 1) {
    message.emoji.delete(emoji);
  } else counted.count--;
  reaction.isOn = on;
  return true;
}

function pin(
  { on, userId }: MessageChange & { kind: "pin" },
  message: MessageDraft,
  room: RoomDraft,
  rev: number,
): boolean | ChangeDenial {
  if (on === (message.pin !== undefined)) return false;
  if (on && room.pinCount >= MAX_PINS) return "pin_limit";
  message.pin = on ? { userId, rev } : undefined;
  room.pinCount += on ? 1 : -1;
  return true;
}
