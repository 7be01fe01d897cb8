/** What a room has for a client that was away: from where it is read, how, and whether it joins on. */

import type { ChangePosition } from "../../db/change_history.ts";
import type { MemberRoom } from "../../db/memberships.ts";
import type { ReplayPosition } from "../../db/message_history.ts";
import { storableTime } from "../../db/times.ts";
import {
  changeFrames,
  type Frame,
  replayFrames,
} from "../connection/frames.ts";
import { MAX_CHANGES, MAX_REPLAY } from "../protocol/limits.ts";
import type { Message, RoomPosition } from "../protocol/protocol.ts";

/** Missed messages read in one query, at most; a single room may have as many as are replayed, and one. */
const MESSAGES_PER_READ = 200;

/** What a room has for a client, encoded. */
export interface Replay {
  frames: Frame[];
  count: number;
  /** `seq` of the first and the last message; undefined when there is none. */
  first: number | undefined;
  last: number | undefined;
  /** Whether there are more after it. */
  isCut: boolean;
}

/** What a room has changed for a client, encoded. */
export interface ChangeReplay {
  frames: Frame[];
  count: number;
  /** The position after them. */
  rev: number;
  /** Whether there are more after it. */
  isCut: boolean;
}

/** The members' rooms, in parts that have few enough messages for one reading. */
export function chunksOf<R extends { position: RoomPosition }>(
  subscribing: readonly R[],
  members: ReadonlyMap<string, MemberRoom>,
): R[][] {
  const chunks: R[][] = [];
  let size = Infinity;
  for (const room of subscribing) {
    const member = members.get(room.position.roomId);
    if (member === undefined) continue;
    const roomNewest = member.last_seq;
    const { lastSeq, lastSeenAt } = room.position;
    const missed = lastSeq !== undefined
      ? Math.max(0, roomNewest - lastSeq)
      : lastSeenAt !== undefined
      ? roomNewest
      : 0;
    const changed = member.last_rev - (room.position.lastRev ?? Infinity);
    const expected = Math.min(missed, MAX_REPLAY + 1) +
      Math.min(Math.max(0, changed), MAX_CHANGES + 1);
    if (size + expected > MESSAGES_PER_READ) {
      chunks.push([]);
      size = 0;
    }
    size += expected;
    chunks.at(-1)!.push(room);
  }
  return chunks;
}

/**
 * From where a room's changes are read; undefined when it has none that the client could want.
 *
 * @param sent the newest `seq` that this connection was sent before: it may have been on its way when the
 *   client asked
 */
export function changePosition(
  { roomId, lastRev, fromSeq = 0, lastSeq, lastSeenAt }: RoomPosition,
  { last_rev }: MemberRoom,
  sent: number,
): ChangePosition | undefined {
  if (lastRev === undefined || lastRev >= last_rev) return undefined;
  // Who names no message holds none: what comes now is in its present state.
  if (lastSeq === undefined && lastSeenAt === undefined) return undefined;
  const toSeq = Math.max(lastSeq ?? Number.MAX_SAFE_INTEGER, sent);
  return { roomId, afterRev: lastRev, fromSeq, toSeq };
}

/**
 * A room's changes as they are sent.
 *
 * @param changed in order of `rev`, one more than is sent when there are more
 * @param newest the room's newest `rev`, read before
 */
export function encodeChanges(
  { roomId, lastRev }: RoomPosition,
  changed: readonly Message[] | undefined,
  newest: number,
): ChangeReplay {
  const messages = (changed ?? []).slice(0, MAX_CHANGES);
  const isCut = (changed ?? []).length > MAX_CHANGES;
  const reached = messages.at(-1)?.rev ?? 0;
  const rev = isCut ? reached : Math.max(newest, reached);
  // Also where nothing of it is for the client: what is live may come before the ack and goes on from there.
  const prevRev = lastRev ?? rev;
  return {
    frames: prevRev >= rev
      ? []
      : changeFrames({ roomId, prevRev, rev, messages }),
    count: messages.length,
    rev,
    isCut,
  };
}

/** From where a room is read; undefined when it has nothing new. */
export function readPosition(
  { roomId, lastSeq, lastSeenAt }: RoomPosition,
  newest: number,
): ReplayPosition | undefined {
  if (lastSeq !== undefined) {
    return lastSeq < newest ? { roomId, afterSeq: lastSeq } : undefined;
  }
  return lastSeenAt === undefined
    ? undefined
    : { roomId, since: storableTime(lastSeenAt) };
}

/**
 * A room's missed messages as they are sent.
 *
 * @param missed in order of `seq`, one more than is replayed when there are more
 */
export function encodeReplay(missed: readonly Message[]): Replay {
  const replayed = missed.slice(0, MAX_REPLAY);
  return {
    frames: replayFrames(replayed),
    count: replayed.length,
    first: replayed[0]?.seq,
    last: replayed.at(-1)?.seq,
    isCut: missed.length > MAX_REPLAY,
  };
}

/**
 * Whether what a room has joins on to what the client has seen. It does not when messages in between
 * were removed because of their age, or when the database was set back and knows less than the
 * client. Who knows nothing and finds nothing has nothing to forget: a reset would not end.
 */
export function continuity(
  lastSeq: number | undefined,
  firstMissed: number | undefined,
  newest: number,
): "whole" | "broken" | "nothing left" {
  if (lastSeq === undefined || lastSeq === newest) return "whole";
  if (firstMissed === lastSeq + 1) return "whole";
  if (firstMissed === undefined && lastSeq === 0) return "nothing left";
  return "broken";
}

/**
 * Whether a client's changes are those of this history: not when it knows more of them than there are, or
 * names another history.
 */
export function isSameHistory(
  { lastRev, epoch }: RoomPosition,
  newest: number,
  ownEpoch: string,
): boolean {
  return (lastRev ?? 0) <= newest &&
    (epoch === undefined || epoch === ownEpoch);
}
