/** What the tests of roster share. */

import { Rosters } from "../../realtime/presence/roster.ts";
import type { UserRef } from "../../realtime/protocol/protocol.ts";
import { createGate, createHub, createUser } from "./fakes.ts";

export const ROOM = "room";

export function createRosters(members: UserRef[]) {
  const world = createHub();
  const { hub, clock } = world;
  const online = new Set<string>();
  const loads = createGate<[string], UserRef[]>();
  const failures: unknown[] = [];
  const rosters = new Rosters({
    hub,
    isOnline: (userId) => online.has(userId),
    loadMembers: loads.call,
    clock: clock.now,
    timers: clock,
    fail: (error) => failures.push(error),
  });
  return {
    world,
    hub,
    clock,
    rosters,
    members,
    loads,
    failures,
    /** Comes online or goes offline. */
    presence(user: UserRef, isOnline: boolean) {
      if (isOnline) online.add(user.id);
      else online.delete(user.id);
      rosters.presenceChanged(user.id);
    },
    /** Becomes a member or ceases to be one. */
    membership(user: UserRef, isMember: boolean) {
      const index = members.indexOf(user);
      if (isMember) members.push(user);
      else members.splice(index, 1);
      rosters.memberChanged(ROOM, user, isMember);
    },
    /** Subscribes to the room and gets its roster, loaded if need be. */
    async join(user = createUser()) {
      const made = world.subscribe(ROOM, 0, user);
      rosters.sendTo(made.connection, ROOM);
      if (loads.calls.length > 0) loads.next().resolve([...members]);
      await clock.advance(0);
      return made;
    },
  };
}

/** A roster in short: `alice+ bob- 1/2`. */
export function brief(roster: {
  users: readonly { username: string; status: string }[];
  onlineCount: number;
  memberCount: number;
}): string {
  const users = roster.users.map(({ username, status }) =>
    username + (status === "online" ? "+" : "-")
  );
  return [...users, `${roster.onlineCount}/${roster.memberCount}`].join(" ");
}

export const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) =>
  createUser(name)
) as [UserRef, UserRef, UserRef];
