import type { MemberRoom } from "../db/memberships.ts";
import type { ReplayPosition } from "../db/messages.ts";
import type { Connection } from "./connection.ts";
import { messagesFrame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import {
  MAX_REPLAY,
  type MessageNew,
  type RoomPosition,
  type SyncResult,
} from "./protocol.ts";
import type { Follower, RoomFeed } from "./room_feed.ts";

/** Rooms whose missed messages are read in one query: bounds what one client holds in memory here. */
const ROOMS_PER_READ = 20;

/** Latest time that JavaScript and PostgreSQL write in the same way: the end of the year 9999, in milliseconds. */
const MAX_TIME = Date.UTC(10_000, 0) - 1;

export interface CatchUpOptions {
  hub: Hub;
  /** Of these rooms, those the user is a member of. */
  memberRooms: (userId: string, roomIds: string[]) => Promise<MemberRoom[]>;
  /** Messages after the positions, at most `limit` a room, oldest first within a room. */
  readMissed: (
    positions: ReplayPosition[],
    limit: number,
  ) => Promise<MessageNew[]>;
  sendRoster: (connection: Connection, roomId: string) => Promise<void>;
  /** Called for each room that was brought up to date. */
  onReplayed?: (messages: number) => void;
}

/** A room's result, and whether the connection is the user's first socket in the room. */
export interface Followed {
  result: SyncResult;
  firstOfUser: boolean;
}

interface Following {
  position: RoomPosition;
  feed: RoomFeed;
  follower: Follower;
  firstOfUser: boolean;
}

/**
 * Lets a connection follow rooms from where it stands: hold the live messages, read what was missed,
 * send it, send what was held. Because the connection is in the feed before anything is read, a
 * message is either read or held, or both; both is told apart by `seq`.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /**
   * Follows rooms and replays at most {@link MAX_REPLAY} messages of each. Results stand in the order
   * of the positions. When the database fails, rooms that were not followed before are left again, and
   * the others stay live.
   *
   * @param positions at most one of each room; ids are UUIDs
   */
  async follow(
    connection: Connection,
    positions: readonly RoomPosition[],
  ): Promise<Followed[]> {
    const { hub, memberRooms } = this.#options;
    const before = new Set(connection.rooms.keys());
    const following = positions.map((position) => ({
      position,
      ...hub.hold(connection, position.roomId),
    }));
    try {
      const unheard = following.filter(({ heard }) => heard !== undefined);
      if (unheard.length > 0) {
        await Promise.all(unheard.map(({ heard }) => heard));
      }
      const roomIds = positions.map(({ roomId }) => roomId);
      const members = await memberRooms(connection.user.id, roomIds);
      const newest = new Map(
        members.map((room) => [room.room_id, room.last_seq]),
      );
      for (const roomId of roomIds) {
        if (!newest.has(roomId)) hub.unfollow(connection, roomId);
      }
      return await this.#replayAll(connection, following, newest);
    } catch (error) {
      for (const { position: { roomId }, feed, follower } of following) {
        if (!hub.stands(roomId, follower)) continue;
        if (before.has(roomId)) feed.release(follower, follower.through);
        else hub.unfollow(connection, roomId);
      }
      throw error;
    }
  }

  async #replayAll(
    connection: Connection,
    following: Following[],
    newest: ReadonlyMap<string, number>,
  ): Promise<Followed[]> {
    const results: Followed[] = [];
    for (let start = 0; start < following.length; start += ROOMS_PER_READ) {
      const chunk = following.slice(start, start + ROOMS_PER_READ);
      const missed = await this.#readChunk(chunk, newest);
      for (const room of chunk) {
        const { roomId } = room.position;
        const roomNewest = newest.get(roomId);
        const result = roomNewest === undefined ||
            !this.#options.hub.stands(roomId, room.follower)
          ? { roomId, synced: false }
          : await this.#replay(
            connection,
            room,
            missed.get(roomId) ?? [],
            roomNewest,
          );
        results.push({
          result,
          firstOfUser: result.synced && room.firstOfUser,
        });
      }
    }
    return results;
  }

  /** What the rooms of a chunk have after their positions, one more than is replayed, by room. */
  async #readChunk(
    chunk: Following[],
    newest: ReadonlyMap<string, number>,
  ): Promise<Map<string, MessageNew[]>> {
    const positions: ReplayPosition[] = [];
    for (const { position: { roomId, lastSeq, lastSeenAt } } of chunk) {
      const roomNewest = newest.get(roomId);
      if (roomNewest === undefined) continue;
      if (lastSeq !== undefined) {
        if (lastSeq < roomNewest) positions.push({ roomId, afterSeq: lastSeq });
      } else if (lastSeenAt !== undefined) {
        positions.push({ roomId, since: timeOf(lastSeenAt) });
      }
    }
    if (positions.length === 0) return new Map();
    const messages = await this.#options.readMissed(positions, MAX_REPLAY + 1);
    return Map.groupBy(messages, (message) => message.roomId);
  }

  async #replay(
    connection: Connection,
    { position, feed, follower }: Following,
    missed: MessageNew[],
    newestRead: number,
  ): Promise<SyncResult> {
    const { roomId, lastSeq } = position;
    const replayed = missed.slice(0, MAX_REPLAY);
    const through = replayed.at(-1)?.seq ?? newestRead;
    const known = continuity(lastSeq, replayed[0]?.seq, newestRead);
    const hasMore = missed.length > MAX_REPLAY ||
      feed.hasGap(follower, through);
    if (replayed.length > 0) connection.send(messagesFrame(replayed));
    feed.release(follower, through, Math.max(newestRead, through));
    this.#options.onReplayed?.(replayed.length);
    await this.#options.sendRoster(connection, roomId);
    await connection.drained();
    return {
      roomId,
      synced: true,
      messageCount: replayed.length,
      hasMore,
      lastSeq: known === "nothing left" ? 0 : through,
      ...(known === "broken" ? { reset: true } : {}),
    };
  }
}

/**
 * Whether what a room has joins on to what the client has seen. It does not when messages in between
 * were removed because of their age, or when the database was set back and knows less than the
 * client. Who knows nothing and finds nothing has nothing to forget: a reset would not end.
 */
function continuity(
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
  return new Date(Math.min(Math.max(time, 0), MAX_TIME));
}
