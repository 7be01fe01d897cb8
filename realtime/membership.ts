import { addMember, removeMember } from "../db/memberships.ts";
import type { Database } from "../db/database.ts";
import type { Backbone, MembershipChange } from "./backbone/backbone.ts";
import type { Hub } from "./hub.ts";
import type { UserRef } from "./protocol.ts";
import type { Rosters } from "./roster.ts";
import type { Typing } from "./typing.ts";

export interface MembershipParts {
  db: Database;
  hub: Hub;
  rosters: Rosters;
  typing: Typing;
  backbone: Backbone;
  clock: () => number;
}

/** Becoming and ceasing to be a member: database first, then the live feed, then the announcement. */
export class Membership {
  readonly #parts: MembershipParts;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** Makes the user a member. Again is no error. */
  async join(
    user: UserRef,
    roomId: string,
  ): Promise<"joined" | "already" | "no_room"> {
    const { db, clock } = this.#parts;
    const outcome = await addMember(db, {
      roomId,
      userId: user.id,
      now: new Date(clock()),
    });
    if (outcome === "joined") this.#change(user, roomId, true);
    return outcome;
  }

  /**
   * Ends the membership. The user's sockets stop receiving the room before this resolves; each that
   * followed it is told with a last `room:system` of type `leave`.
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
    const { backbone, clock } = this.#parts;
    const at = new Date(clock()).toISOString();
    const change = { user, roomId, isMember, at, isAnnounced: false };
    change.isAnnounced = this.changed(change);
    void backbone.publish(`room:${roomId}`, { kind: "membership", change });
  }

  /**
   * A membership has begun or ended, here or elsewhere: sockets here must know.
   *
   * @returns whether the room's followers know of its end now
   */
  changed(
    { user, roomId, isMember, at, isAnnounced }: MembershipChange,
  ): boolean {
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
