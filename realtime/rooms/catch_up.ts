import type { ChangePosition } from "../../db/change_history.ts";
import type { MemberRoom } from "../../db/memberships.ts";
import type { ReplayPosition } from "../../db/message_history.ts";
import type { Connection } from "../connection/connection.ts";
import { MAX_CHANGES, MAX_REPLAY } from "../protocol/limits.ts";
import type {
  Message,
  RoomPosition,
  SyncResult,
} from "../protocol/protocol.ts";
import type { Timers } from "../timers.ts";
import type { Hub } from "./hub.ts";
import {
  changePosition,
  type ChangeReplay,
  chunksOf,
  continuity,
  encodeChanges,
  encodeReplay,
  isSameHistory,
  readPosition,
  type Replay,
} from "./replay.ts";
import type { ReplayTurns } from "./replay_turns.ts";
import type { RoomFeed } from "./room_feed.ts";
import type { Subscription } from "./subscription.ts";
import { whenSubscribed } from "./when_subscribed.ts";

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
  /** Changed messages after the positions, at most `limit` a room, in order of `rev` within a room. */
  readChanged: (
    positions: ChangePosition[],
    limit: number,
  ) => Promise<Message[]>;
  /** Names the history that the database has. */
  history: { readonly epoch: string };
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
    const rooms = await memberRooms(connection.user.id, roomIds);
    const members = new Map(rooms.map((room) => [room.room_id, room]));
    for (const roomId of roomIds) {
      if (!members.has(roomId)) hub.unsubscribe(connection, roomId);
    }
    for (const chunk of chunksOf(subscribing, members)) {
      if (connection.closed) return;
      const missed = await this.#read(connection, chunk, members);
      for (const room of chunk) {
        const { roomId } = room.position;
        if (!hub.isCurrent(roomId, room.subscription)) continue;
        const member = members.get(roomId)!;
        const result = this.#replay(connection, room, missed, member);
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
    members: ReadonlyMap<string, MemberRoom>,
  ): Promise<Missed> {
    const nothing = { replays: new Map(), changes: new Map() };
    const member = (position: RoomPosition) => members.get(position.roomId)!;
    const positions = chunk.flatMap(({ position }) =>
      readPosition(position, member(position).last_seq) ?? []
    );
    const changes = chunk.flatMap(({ position, subscription: { through } }) =>
      changePosition(position, member(position), through) ?? []
    );
    if (positions.length === 0 && changes.length === 0) return nothing;
    const { readMissed, readChanged, turns } = this.#options;
    return await turns.take(connection.user.id, async () => {
      // A closed connection must not keep the user's next one waiting.
      if (connection.closed) return { value: nothing, bytes: 0 };
      // Changes first: a new message that is changed meanwhile is read after that, in its present state.
      const changed = byRoom(await readChanged(changes, MAX_CHANGES + 1));
      const messages = byRoom(await readMissed(positions, MAX_REPLAY + 1));
      const value = { replays: new Map(), changes: new Map() };
      let bytes = 0;
      for (const { position } of chunk) {
        const { roomId } = position;
        const { last_rev } = member(position);
        const replay = encodeReplay(messages.get(roomId) ?? []);
        const change = encodeChanges(position, changed.get(roomId), last_rev);
        for (const frame of [...replay.frames, ...change.frames]) {
          bytes += frame.bytes;
        }
        value.replays.set(roomId, replay);
        value.changes.set(roomId, change);
      }
      return { value, bytes };
    });
  }

  #replay(
    connection: Connection,
    { position, feed, subscription }: Subscribing,
    missed: Missed,
    { last_seq, last_rev }: MemberRoom,
  ): SyncResult {
    const { roomId, lastSeq } = position;
    const { history: { epoch }, onReplayed } = this.#options;
    const changes = missed.changes.get(roomId) ??
      encodeChanges(position, [], last_rev);
    const replay = missed.replays.get(roomId) ?? encodeReplay([]);
    const through = replay.last ?? last_seq;
    const known = continuity(lastSeq, replay.first, last_seq);
    const isReset = known === "broken" ||
      !isSameHistory(position, last_rev, epoch);
    const hasMore = replay.isCut || feed.hasGap(subscription, through);
    const hasMoreChanges = changes.isCut || feed.changes.hasGap(subscription);
    for (const frame of [...changes.frames, ...replay.frames]) {
      connection.send(frame);
    }
    // Who asks for no changes while it is live has had those before, and none of what is held back since.
    const isLive = subscription.admitted && position.lastRev === undefined;
    feed.release(subscription, through, Math.max(last_seq, through), {
      rev: isLive ? subscription.throughRev : changes.rev,
      isPart: hasMoreChanges,
      newestRead: last_rev,
    });
    onReplayed?.(replay.count);
    return {
      roomId,
      synced: true,
      messageCount: replay.count,
      hasMore,
      lastSeq: known === "nothing left" ? 0 : through,
      changeCount: changes.count,
      hasMoreChanges,
      lastRev: changes.rev,
      epoch,
      ...(isReset ? { reset: true } : {}),
    };
  }
}

/** What rooms have for a client that was away, by room; a room that was not read has nothing. */
interface Missed {
  replays: ReadonlyMap<string, Replay>;
  changes: ReadonlyMap<string, ChangeReplay>;
}

function byRoom(messages: readonly Message[]): Map<string, Message[]> {
  return Map.groupBy(messages, ({ roomId }) => roomId);
}
