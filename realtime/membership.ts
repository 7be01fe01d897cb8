import { addMember, removeMember } from "../db/memberships.ts";
import type { Database } from "../db/database.ts";
import type { Hub } from "./hub.ts";
import type { UserRef } from "./protocol.ts";
import type { Rosters } from "./roster.ts";
import type { Typing } from "./typing.ts";

export interface MembershipParts {
  db: Database;
  hub: Hub;
  rosters: Rosters;
  typing: Typing;
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
    const { db, rosters, clock } = this.#parts;
    const outcome = await addMember(db, {
      roomId,
      userId: user.id,
      now: new Date(clock()),
    });
    if (outcome === "joined") rosters.memberChanged(roomId, user, true);
    return outcome;
  }

  /**
   * Tells rooms that a user, whose memberships have ended with the account, is gone. The user's
   * sockets are taken out of the rooms.
   */
  userRemoved(user: UserRef, roomIds: readonly string[]): void {
    const { hub, rosters, typing, clock } = this.#parts;
    const createdAt = new Date(clock()).toISOString();
    for (const roomId of roomIds) {
      typing.clear(user, roomId);
      const cut = hub.cut(user.id, roomId);
      rosters.memberChanged(roomId, user, false);
      if (cut.length > 0) {
        hub.announce(roomId, {
          event: "room:system",
          data: { type: "leave", roomId, user, createdAt },
        });
      }
    }
  }

  /**
   * Ends the membership. The user's sockets stop receiving the room before this resolves; each that
   * followed it is told with a last `room:system` of type `leave`.
   *
   * @returns false when the user was no member
   */
  async leave(user: UserRef, roomId: string): Promise<boolean> {
    const { db, hub, rosters, typing, clock } = this.#parts;
    if (!await removeMember(db, roomId, user.id)) return false;
    typing.clear(user, roomId);
    const cut = hub.cut(user.id, roomId);
    rosters.memberChanged(roomId, user, false);
    const createdAt = new Date(clock()).toISOString();
    const event = {
      event: "room:system",
      data: { type: "leave", roomId, user, createdAt },
    } as const;
    for (const connection of cut) connection.sendEvent(event);
    if (cut.length > 0) hub.announce(roomId, event);
    return true;
  }
}
