/** What a room has for a client that was away: from where it is read, how, and whether it joins on. */

import type { ReplayPosition } from "../../db/message_history.ts";
import { MAX_TIME_MS } from "../../db/schema.ts";
import { type Frame, replayFrames } from "../connection/frames.ts";
import { MAX_REPLAY } from "../protocol/limits.ts";
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

/** Of a room where the client has everything. */
export const NO_REPLAY: Replay = {
  frames: [],
  count: 0,
  first: undefined,
  last: undefined,
  isCut: false,
};

/** The members' rooms, in parts that have few enough messages for one reading. */
export function chunksOf<R extends { position: RoomPosition }>(
  subscribing: readonly R[],
  newest: ReadonlyMap<string, number>,
): R[][] {
  const chunks: R[][] = [];
  let size = Infinity;
  for (const room of subscribing) {
    const roomNewest = newest.get(room.position.roomId);
    if (roomNewest === undefined) continue;
    const { lastSeq, lastSeenAt } = room.position;
    const missed = lastSeq !== undefined
      ? Math.max(0, roomNewest - lastSeq)
      : lastSeenAt !== undefined
      ? roomNewest
      : 0;
    const expected = Math.min(missed, MAX_REPLAY + 1);
    if (size + expected > MESSAGES_PER_READ) {
      chunks.push([]);
      size = 0;
    }
    size += expected;
    chunks.at(-1)!.push(room);
  }
  return chunks;
}

/** From where a room is read; undefined when it has nothing new. */
export function readPosition(
  { roomId, lastSeq, lastSeenAt }: RoomPosition,
  newest: number | undefined,
): ReplayPosition | undefined {
  if (newest === undefined) return undefined;
  if (lastSeq !== undefined) {
    return lastSeq < newest ? { roomId, afterSeq: lastSeq } : undefined;
  }
  return lastSeenAt === undefined
    ? undefined
    : { roomId, since: timeOf(lastSeenAt) };
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

/** A client's time, brought into the years PostgreSQL can read: no message is older than 1970. */
function timeOf(lastSeenAt: string): Date {
  const time = Date.parse(lastSeenAt);
  return new Date(Math.min(Math.max(time, 0), MAX_TIME_MS));
}
