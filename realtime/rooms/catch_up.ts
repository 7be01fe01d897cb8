import type { MemberRoom } from "../../db/memberships.ts";
import type { ReplayPosition } from "../../db/message_history.ts";
import type { Connection } from "../connection/connection.ts";
import { MAX_REPLAY } from "../protocol/limits.ts";
import type {
  Message,
  RoomPosition,
  SyncResult,
} from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import type { Hub } from "./hub.ts";
import {
  chunksOf,
  continuity,
  encodeReplay,
  NO_REPLAY,
  readPosition,
  type Replay,
} from "./replay.ts";
import type { ReplayTurns } from "./replay_turns.ts";
import type { RoomFeed } from "./room_feed.ts";
import type { Subscription } from "./subscription.ts";

/** A follow waits for the rosters of its rooms no longer than this, for all of them together, in milliseconds. */
export const ROSTER_GRACE_MS = 250;

export interface CatchUpOptions {
  hub: Hub;
  /** Of these rooms, those the user is a member of. */
  memberRooms: (userId: string, roomIds: string[]) => Promise<MemberRoom[]>;
  /** Messages after the positions, at most `limit` a room, oldest first within a room. */
  readMissed: (
    positions: ReplayPosition[],
    limit: number,
  ) => Promise<Message[]>;
  /** Sends the room's roster: now, or when it is loaded; resolves then. */
  sendRoster: (
    connection: Connection,
    roomId: string,
  ) => Promise<void> | undefined;
  turns: ReplayTurns;
  timers: Timers;
  /** Called for each room that was brought up to date. */
  onReplayed?: (messages: number) => void;
}

/** A room's result, and whether the connection is the user's first socket in the room. */
export interface Subscribed {
  result: SyncResult;
  firstOfUser: boolean;
}

interface Subscribing {
  position: RoomPosition;
  feed: RoomFeed;
  subscription: Subscription;
  firstOfUser: boolean;
  subscribed: Promise<void> | undefined;
}

/**
 * Lets a connection follow rooms from where it stands: hold the live messages, read what was missed,
 * send it, send what was held. Because the connection is in the feed before anything is read, a
 * message is either read or held, or both; duplicates are recognised by `seq`.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /**
   * Subscribes to rooms and replays at most {@link MAX_REPLAY} messages of each; a room is live as soon as it
   * is ready, whatever the others wait for. Results stand in the order of the positions. When the
   * database fails, rooms that were not subscribed to before are left again, and the others stay live.
   *
   * @param positions at most one of each room; ids are UUIDs
   */
  async subscribe(
    connection: Connection,
    positions: readonly RoomPosition[],
  ): Promise<Subscribed[]> {
    const { hub, timers } = this.#options;
    const maySubscribe = await this.#maySubscribe(connection, positions);
    const results = new Map<string, Subscribed>();
    const rosters: Promise<void>[] = [];
    // It may have ended meanwhile: it must not be in a feed then.
    if (!connection.closed) {
      const before = new Set(hub.subscriptionsOf(connection).keys());
      const subscribing = positions.filter(({ roomId }) => maySubscribe(roomId))
        .map((position) => ({
          position,
          ...hub.hold(connection, position.roomId),
        }));
      try {
        for await (const rooms of whenSubscribed(subscribing)) {
          await this.#replayAll(connection, rooms, results, rosters);
        }
      } catch (error) {
        this.#leave(connection, subscribing, before);
        throw error;
      }
    }
    if (rosters.length > 0) {
      await Promise.race([
        Promise.all(rosters),
        new Promise<void>((resolve) => timers.after(ROSTER_GRACE_MS, resolve)),
      ]);
    }
    return positions.map(({ roomId }) =>
      results.get(roomId) ??
        { result: { roomId, synced: false }, firstOfUser: false }
    );
  }

  /**
   * Whether a room may be subscribed to for the user. While this process has no subscriber of the room
   * that costs the broker work, so only a member may cause it.
   */
  async #maySubscribe(
    connection: Connection,
    positions: readonly RoomPosition[],
  ): Promise<(roomId: string) => boolean> {
    const { hub, memberRooms } = this.#options;
    const unsubscribed = new Set(
      positions.map(({ roomId }) => roomId)
        .filter((roomId) => !hub.isSubscribed(roomId)),
    );
    if (unsubscribed.size === 0) return () => true;
    const rooms = await memberRooms(connection.user.id, [...unsubscribed]);
    const own = new Set(rooms.map((room) => room.room_id));
    return (roomId) => own.has(roomId) || !unsubscribed.has(roomId);
  }

  /** Following came to nothing: rooms that were live before are so again. */
  #leave(
    connection: Connection,
    subscribing: readonly Subscribing[],
    before: ReadonlySet<string>,
  ): void {
    const { hub } = this.#options;
    for (const { position: { roomId }, feed, subscription } of subscribing) {
      if (!hub.isCurrent(roomId, subscription)) continue;
      if (before.has(roomId)) feed.release(subscription, subscription.through);
      else hub.unsubscribe(connection, roomId);
    }
  }

  async #replayAll(
    connection: Connection,
    subscribing: readonly Subscribing[],
    results: Map<string, Subscribed>,
    rosters: Promise<void>[],
  ): Promise<void> {
    const { hub, memberRooms, sendRoster } = this.#options;
    const roomIds = subscribing.map(({ position }) => position.roomId);
    const members = await memberRooms(connection.user.id, roomIds);
    const newest = new Map(
      members.map((room) => [room.room_id, room.last_seq]),
    );
    for (const roomId of roomIds) {
      if (!newest.has(roomId)) hub.unsubscribe(connection, roomId);
    }
    for (const chunk of chunksOf(subscribing, newest)) {
      if (connection.closed) return;
      const replays = await this.#read(connection, chunk, newest);
      for (const room of chunk) {
        const { roomId } = room.position;
        if (!hub.isCurrent(roomId, room.subscription)) continue;
        const replay = replays.get(roomId) ?? NO_REPLAY;
        const result = this.#replay(connection, room, replay, newest);
        results.set(roomId, { result, firstOfUser: room.firstOfUser });
        const roster = sendRoster(connection, roomId);
        if (roster !== undefined) rosters.push(roster);
        await connection.drained();
      }
    }
  }

  /** What the rooms of a chunk have after their positions, by room. */
  async #read(
    connection: Connection,
    chunk: readonly Subscribing[],
    newest: ReadonlyMap<string, number>,
  ): Promise<Map<string, Replay>> {
    const positions = chunk.flatMap(({ position }) =>
      readPosition(position, newest.get(position.roomId)) ?? []
    );
    if (positions.length === 0) return new Map();
    const { readMissed, turns } = this.#options;
    return await turns.take(connection.user.id, async () => {
      // A closed connection must not keep the user's next one waiting.
      if (connection.closed) return { value: new Map(), bytes: 0 };
      const messages = await readMissed(positions, MAX_REPLAY + 1);
      const value = new Map<string, Replay>();
      let bytes = 0;
      for (
        const [roomId, missed] of Map.groupBy(messages, ({ roomId }) => roomId)
      ) {
        const replay = encodeReplay(missed);
        for (const frame of replay.frames) bytes += frame.bytes;
        value.set(roomId, replay);
      }
      return { value, bytes };
    });
  }

  #replay(
    connection: Connection,
    { position, feed, subscription }: Subscribing,
    { frames, count, first, last, isCut }: Replay,
    newest: ReadonlyMap<string, number>,
  ): SyncResult {
    const { roomId, lastSeq } = position;
    const newestRead = newest.get(roomId)!;
    const through = last ?? newestRead;
    const known = continuity(lastSeq, first, newestRead);
    const hasMore = isCut || feed.hasGap(subscription, through);
    for (const frame of frames) connection.send(frame);
    feed.release(subscription, through, Math.max(newestRead, through));
    this.#options.onReplayed?.(count);
    return {
      roomId,
      synced: true,
      messageCount: count,
      hasMore,
      lastSeq: known === "nothing left" ? 0 : through,
      ...(known === "broken" ? { reset: true } : {}),
    };
  }
}

/** The rooms, some at a time, as soon as the broker is subscribed to them. */
async function* whenSubscribed(
  subscribing: readonly Subscribing[],
): AsyncGenerator<Subscribing[]> {
  let ready = subscribing.filter(({ subscribed }) => subscribed === undefined);
  let late = subscribing.length - ready.length;
  let wake = () => {};
  for (const room of subscribing) {
    void room.subscribed?.then(() => {
      late--;
      ready.push(room);
      wake();
    });
  }
  while (late > 0 || ready.length > 0) {
    if (ready.length === 0) {
      await new Promise<void>((resolve) => wake = resolve);
    }
    const rooms = ready;
    ready = [];
    yield rooms;
  }
}
