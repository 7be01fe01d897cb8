/** What the tests of membership share. */

import assert from "node:assert/strict";
import type { Database } from "../../db/engine/database.ts";
import type { MembershipKey } from "../../db/memberships.ts";
import type {
  MembershipChange,
  Signal,
} from "../../realtime/cluster/broker.ts";
import { Membership } from "../../realtime/membership/membership.ts";
import { Rosters } from "../../realtime/presence/roster.ts";
import { Typing } from "../../realtime/presence/typing.ts";
import type { UserRef } from "../../realtime/protocol/protocol.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { createBrokers } from "./fake_broker.ts";
import { createGate, createHub, createMessage, createUser } from "./fakes.ts";

export const ROOM = "room";

/** A roster or a mark of typing has been sent by then, in milliseconds. */
export const ROSTER_MS = 2_000;

type Ask = (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;

/** Nobody is a member of anything any more. */
const allMissing: Ask = (keys) => Promise.resolve([...keys]);

/** Processes of one chat, with what a membership that ends touches. */
export function createProcesses(count: number, missingAmong: Ask = allMissing) {
  const clock = createFakeClock();
  const brokers = createBrokers(clock);
  const time = { clock: clock.now, timers: clock };
  /** Whom a roster begins with. */
  const members: UserRef[] = [];
  const processes = Array.from({ length: count }, () => {
    const broker = brokers.join();
    const world = createHub({
      ...{ broker, ...time },
      onHold: (subscription, roomId) => membership.held(subscription, roomId),
    });
    const { hub } = world;
    const rosters = new Rosters({
      ...{ hub, ...time },
      isOnline: () => false,
      loadMembers: () => Promise.resolve([...members]),
      fail: (error) => assert.fail(String(error)),
    });
    const typing = new Typing({ hub, ...time, onChanged: () => {} });
    const failures: unknown[] = [];
    const membership: Membership = new Membership({
      db: {} as Database,
      ...{ hub, rosters, typing, broker, missingAmong, ...time },
      maxMembershipsPerUser: 5_000,
      fail: (error) => failures.push(error),
    });
    broker.listen({
      received(signal: Signal) {
        if (signal.kind === "membership") {
          membership.changedElsewhere(signal.change);
        }
        if (signal.kind === "announcement") hub.announceHere(signal.event);
      },
      up: () => {},
      down: () => {},
    });
    return {
      ...{ ...world, hub, broker, membership, typing, rosters, failures },
    };
  });
  return { clock, processes, members };
}

type World = ReturnType<typeof createProcesses>["processes"][number];

/** What another process says when the user has left. */
export function endOf(user: UserRef, isAnnounced = true): MembershipChange {
  const at = "2026-03-01T12:00:00.000Z";
  return { user, roomId: ROOM, isMember: false, at, isAnnounced };
}

/** The lines a socket was told, in short. */
export const lines = ({ wire }: ReturnType<World["subscribe"]>) =>
  wire.events("room:system").map(({ type, user }) =>
    `${type} ${user?.username}`
  );

/** A process that a late word of an end comes to: somebody who is subscribed to the room, and somebody who asks. */
export async function check() {
  const gate = createGate<[readonly MembershipKey[]], MembershipKey[]>();
  const { clock, members, processes: [process] } = createProcesses(
    1,
    gate.call,
  );
  const user = createUser("alice");
  members.push(user);
  const own = process!.subscribe(ROOM, 0, user);
  const other = process!.subscribe(ROOM);
  await process!.rosters.sendTo(other.connection, ROOM);
  return {
    ...{ ...process!, process: process!, clock, gate, user, own, other },
    key: { userId: user.id, roomId: ROOM },
    say: (...seqs: number[]) =>
      process!.hub.publish(ROOM, seqs.map((seq) => createMessage(seq, ROOM))),
    /** Who is a member by the newest roster that everybody has. */
    async roster(): Promise<string[]> {
      await clock.advance(ROSTER_MS);
      const newest = other.wire.events("room:roster").at(-1)!;
      return newest.users.map(({ username }) => username);
    },
  };
}
