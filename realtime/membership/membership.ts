import type { Database } from "../../db/engine/database.ts";
import {
  addMember,
  type JoinOutcome,
  type MembershipKey,
  removeMember,
} from "../../db/memberships.ts";
import type { Broker, MembershipChange } from "../cluster/broker.ts";
import type { Rosters } from "../presence/roster.ts";
import type { Typing } from "../presence/typing.ts";
import type { UserRef } from "../protocol/protocol.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Subscription } from "../rooms/subscription.ts";
import type { Timers } from "../timers.ts";
import { MembershipChecks } from "./membership_checks.ts";

export interface MembershipParts {
  db: Database;
  hub: Hub;
  rosters: Rosters;
  typing: Typing;
  broker: Broker;
  /** Rooms a user may be a member of. */
  maxMembershipsPerUser: number;
  /** Of these memberships, those that do not exist. */
  missingAmong: (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;
  clock: () => number;
  timers: Timers;
  /** Called when memberships could not be read. */
  fail: (error: unknown) => void;
}

/** Becoming and ceasing to be a member: database first, then the live feed, then the announcement. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #checks: MembershipChecks;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#checks = new MembershipChecks({
      ...parts,
      onEnded: (change) => void this.#changed(change),
      onConfirmed: ({ roomId, user }) =>
        parts.rosters.memberChanged(roomId, user, true),
    });
  }

  /** Makes the user a member. Again is no error. */
  async join(user: UserRef, roomId: string): Promise<JoinOutcome> {
    const { db, clock } = this.#parts;
    const member = { roomId, userId: user.id, now: new Date(clock()) };
    const outcome = await addMember(db, member, this.#parts);
    if (outcome === "joined") this.#change(user, roomId, true);
    return outcome;
  }

  /**
   * Ends the membership. The user's sockets stop receiving the room before this resolves; each that
   * subscribed to it is sent a last `room:system` of type `leave`.
   *
   * @returns false when the user was no member
   */
  async leave(user: UserRef, roomId: string): Promise<boolean> {
    if (!await removeMember(this.#parts.db, roomId, user.id)) return false;
    this.#change(user, roomId, false);
    return true;
  }

  /** The user's memberships have ended with the account: as after {@link leave} of each room. */
  userRemoved(user: UserRef, roomIds: readonly string[]): void {
    for (const roomId of roomIds) this.#change(user, roomId, false);
  }

  #change(user: UserRef, roomId: string, isMember: boolean): void {
    const { broker, clock } = this.#parts;
    const at = new Date(clock()).toISOString();
    const change = { user, roomId, isMember, at, isAnnounced: false };
    change.isAnnounced = this.#changed(change);
    void broker.publish(`room:${roomId}`, { kind: "membership", change });
  }

  /**
   * Another process reports that a membership has begun or ended. An end is verified first, see {@link MembershipChecks}; meanwhile the user's sockets get no more messages of the room.
   */
  changedElsewhere(change: MembershipChange): void {
    const hasSubscribers = this.#parts.hub.feed(change.roomId) !== undefined;
    if (hasSubscribers && !change.isMember) this.#checks.verify(change);
    else this.#changed(change);
  }

  /**
   * The database did not have the membership of a subscribed user. The answer may be old: the user may have
   * joined again while it was on its way.
   */
  foundMissing({ userId, roomId }: MembershipKey): void {
    const { hub, clock } = this.#parts;
    const [connection] = hub.feed(roomId)?.connectionsOf(userId) ?? [];
    if (connection === undefined) return;
    const { user } = connection;
    const at = new Date(clock()).toISOString();
    this.changedElsewhere({
      user,
      roomId,
      isMember: false,
      at,
      isAnnounced: false,
    });
  }

  /** A connection begins to catch up with a room: an answer about its user may be too old. */
  held(subscription: Subscription, roomId: string): void {
    this.#checks.held(subscription, roomId);
  }

  /**
   * Applies a change of a membership to the connections of this process.
   *
   * @returns whether the room's subscribers have been sent a line about its end
   */
  #changed(
    { user, roomId, isMember, at, isAnnounced }: MembershipChange,
  ): boolean {
    this.#checks.changed(user.id, roomId);
    const { hub, rosters, typing } = this.#parts;
    rosters.memberChanged(roomId, user, isMember);
    if (isMember) return false;
    typing.clear(user, roomId);
    const cut = hub.cut(user.id, roomId);
    const event = {
      event: "room:system",
      data: { type: "leave", roomId, user, createdAt: at },
    } as const;
    for (const connection of cut) connection.sendEvent(event);
    if (cut.length > 0 && !isAnnounced) hub.announce(event);
    return cut.length > 0;
  }
}
