import type { Broker, RoomSystemEvent } from "../cluster/broker.ts";
import type { Connection } from "../connection/connection.ts";
import { eventFrame } from "../connection/frames.ts";
import { MAX_ANNOUNCED_SUBSCRIBERS } from "../protocol/limits.ts";
import type { Message, RoomChanges } from "../protocol/protocol.ts";
import { RecentMap } from "../recent_map.ts";
import { AnnouncementLimit } from "./announcement_limit.ts";
import { RoomFeed, type RoomFeedOptions } from "./room_feed.ts";
import type { Subscription } from "./subscription.ts";

/** Newest lines about joining and leaving that are recognised when they come again. */
const REMEMBERED_LINES = 1_000;

export interface HubOptions
  extends Omit<RoomFeedOptions, "roomId" | "isShared"> {
  broker: Broker;
  /** Called when a connection begins to catch up with a room, again or for the first time. */
  onHold?: (subscription: Subscription, roomId: string) => void;
}

const NONE: ReadonlyMap<string, Subscription> = new Map();

/**
 * The rooms that connections of this process are subscribed to; what is published here is published to the
 * other processes. Only synchronous changes: between two awaits the maps are always whole.
 */
export class Hub {
  readonly #options: HubOptions;
  /** The subscriptions of each connection, by room. */
  readonly #subscriptions = new Map<Connection, Map<string, Subscription>>();
  readonly #feeds = new Map<string, RoomFeed>();
  /** Subscriptions to rooms in flight at the broker. */
  readonly #pending = new Map<string, Promise<void>>();
  /** Lines sent lately. */
  readonly #announced = new RecentMap<string, true>(REMEMBERED_LINES);

  readonly #lines: AnnouncementLimit;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#lines = new AnnouncementLimit(
      (event) => this.#tell(event),
      options.timers,
    );
  }

  /** The subscriptions of a connection, by room. */
  subscriptionsOf(connection: Connection): ReadonlyMap<string, Subscription> {
    return this.#subscriptions.get(connection) ?? NONE;
  }

  /** Takes a connection out of all its rooms. */
  unsubscribeAll(connection: Connection): void {
    for (const roomId of [...this.subscriptionsOf(connection).keys()]) {
      this.unsubscribe(connection, roomId);
    }
  }

  /** Rooms with at least one subscriber. */
  get roomCount(): number {
    return this.#feeds.size;
  }

  roomIds(): IterableIterator<string> {
    return this.#feeds.keys();
  }

  /** The feed of a room; undefined without subscribers. */
  feed(roomId: string): RoomFeed | undefined {
    return this.#feeds.get(roomId);
  }

  /** Whether this process receives a room's messages already, or is the only one. */
  isSubscribed(roomId: string): boolean {
    return this.#options.broker.isUp === undefined ||
      this.#feeds.has(roomId);
  }

  /**
   * Adds a connection to a room, its live messages held back. See {@link RoomFeed.hold}.
   *
   * @returns `subscribed`: await this before reading, or messages of other processes in between are lost;
   *   undefined when nothing is in flight
   */
  hold(connection: Connection, roomId: string): {
    feed: RoomFeed;
    subscription: Subscription;
    firstOfUser: boolean;
    subscribed: Promise<void> | undefined;
  } {
    const { broker } = this.#options;
    let feed = this.#feeds.get(roomId);
    if (feed === undefined) {
      const isShared = broker.isUp !== undefined;
      feed = new RoomFeed({ ...this.#options, roomId, isShared });
      this.#feeds.set(roomId, feed);
      const subscribed = broker.subscribe(`room:${roomId}`)?.then(() => {
        // The room may have been left and subscribed to again: that is in flight still.
        if (this.#pending.get(roomId) === subscribed) {
          this.#pending.delete(roomId);
        }
      });
      if (subscribed !== undefined) this.#pending.set(roomId, subscribed);
      else this.#pending.delete(roomId);
    }
    const { subscription, firstOfUser } = feed.hold(connection);
    this.#remember(subscription, roomId);
    this.#options.onHold?.(subscription, roomId);
    return {
      feed,
      subscription,
      firstOfUser,
      subscribed: this.#pending.get(roomId),
    };
  }

  /** Whether this is still the subscription: the connection may have left, or left and subscribed again. */
  isCurrent(roomId: string, subscription: Subscription): boolean {
    return this.subscriptionsOf(subscription.connection).get(roomId) ===
      subscription;
  }

  /** @returns whether it was the user's last socket in the room; undefined when it did not follow it */
  unsubscribe(connection: Connection, roomId: string): boolean | undefined {
    const own = this.#subscriptions.get(connection);
    if (own?.delete(roomId) && own.size === 0) {
      this.#subscriptions.delete(connection);
    }
    const feed = this.#feeds.get(roomId);
    const last = feed?.remove(connection);
    if (feed?.subscriberCount === 0) {
      this.#feeds.delete(roomId);
      this.#options.broker.unsubscribe(`room:${roomId}`);
    }
    return last;
  }

  /** Takes all of a user's sockets out of a room. @returns those that subscribed to it */
  cut(userId: string, roomId: string): Connection[] {
    const subscribers = this.#feeds.get(roomId)?.connectionsOf(userId) ?? [];
    for (const connection of subscribers) this.unsubscribe(connection, roomId);
    return subscribers;
  }

  /** Publishes messages of one room, committed here, to its subscribers in all processes. */
  publish(roomId: string, messages: readonly Message[]): void {
    this.#feeds.get(roomId)?.publishOwn(messages);
    void this.#options.broker.publish(`room:${roomId}`, {
      kind: "messages",
      roomId,
      messages,
    });
  }

  /** Publishes changes of one room, committed here, to its subscribers in all processes. */
  publishChanges(changes: RoomChanges): void {
    const { roomId, rev } = changes;
    this.#feeds.get(roomId)?.changes.publish(changes);
    void this.#options.broker.publish(`room:${roomId}`, {
      kind: "changes",
      roomId,
      rev,
    });
  }

  /**
   * Sends a room's subscribers, but for the user's own connections, a line that the user has joined or left. Left out
   * in a room with more than {@link MAX_ANNOUNCED_SUBSCRIBERS} subscribers, and limited for each user and
   * room by {@link AnnouncementLimit}.
   */
  announce(event: RoomSystemEvent): void {
    this.#lines.add(event);
  }

  #tell(event: RoomSystemEvent): void {
    this.announceHere(event);
    void this.#options.broker.publish(`room:${event.data.roomId}`, {
      kind: "announcement",
      event,
    });
  }

  /** As {@link announce}, to the subscribers in this process, at once. */
  announceHere(event: RoomSystemEvent): void {
    this.#lines.told(event);
    const { type, roomId, user, createdAt } = event.data;
    const feed = this.#feeds.get(roomId);
    if (
      feed === undefined || feed.subscriberCount > MAX_ANNOUNCED_SUBSCRIBERS
    ) {
      return;
    }
    // Each process that unsubscribes a user sends the same line.
    const line = `${type} ${roomId} ${user.id} ${createdAt}`;
    if (this.#announced.get(line)) return;
    this.#announced.set(line, true);
    feed.broadcast(eventFrame(event), new Set([user.id]));
  }

  #remember(subscription: Subscription, roomId: string): void {
    const { connection } = subscription;
    const own = this.#subscriptions.get(connection);
    if (own !== undefined) own.set(roomId, subscription);
    else this.#subscriptions.set(connection, new Map([[roomId, subscription]]));
  }
}
