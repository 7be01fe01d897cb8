/** What the tests of catch up share. */

import type { MemberRoom } from "../../db/memberships.ts";
import type { ReplayPosition } from "../../db/message_history.ts";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { CatchUp } from "../../realtime/rooms/catch_up.ts";
import { ReplayTurns } from "../../realtime/rooms/replay_turns.ts";
import { createGate, createHub, createMessage } from "./fakes.ts";

export const ROOM = "room";

export const EPOCH = crypto.randomUUID();

/** Catch-up over a database that answers when the test says so, with what it has at that moment. */
export function createCatchUp() {
  const stored: Message[] = [];
  const lost = new Set<string>();
  const revs = new Map<string, number>();
  const read = (roomId: string, after: (message: Message) => boolean) =>
    stored.filter((message) => message.roomId === roomId && after(message));
  const afterGate = createGate<[string, number, number], Message[]>();
  const world = createHub({ readAfter: afterGate.call });
  const members = createGate<[string, string[]], MemberRoom[]>();
  const missed = createGate<[ReplayPosition[], number], Message[]>();
  const rosters: string[] = [];
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: members.call,
    readMissed: missed.call,
    readChanged: () => Promise.resolve([]),
    history: { epoch: EPOCH },
    sendRoster: (connection, roomId) => {
      connection.sendEvent({
        event: "room:roster",
        data: { roomId, users: [], onlineCount: 0, memberCount: 0 },
      });
      rosters.push(roomId);
      return undefined;
    },
    turns: new ReplayTurns({ clock: world.clock.now, timers: world.clock }),
    timers: world.clock,
  });
  return {
    ...world,
    world,
    stored,
    /** Rooms the user is no member of. */
    lost,
    /** The newest change of each room, as the database has it. */
    revs,
    members,
    missed,
    afterGate,
    rosters,
    catchUp,
    /** Commits and publishes. */
    post(roomId: string, count = 1) {
      for (let n = 0; n < count; n++) {
        const seq = (read(roomId, () => true).at(-1)?.seq ?? 0) + 1;
        const message = createMessage(seq, roomId);
        stored.push(message);
        world.hub.publish(roomId, [message]);
      }
    },
    async answerMembers() {
      const { args: [, roomIds], resolve } = members.next();
      resolve(
        roomIds.filter((id) => !lost.has(id)).map((room_id) => ({
          room_id,
          last_seq: read(room_id, () => true).at(-1)?.seq ?? 0,
          last_rev: revs.get(room_id) ?? 0,
        })),
      );
      await world.clock.advance(0);
    },
    async answerMissed() {
      const { args: [positions, limit], resolve } = missed.next();
      resolve(positions.flatMap((position) =>
        read(
          position.roomId,
          ({ seq, createdAt }) =>
            "afterSeq" in position
              ? seq > position.afterSeq
              : new Date(createdAt) >= position.since,
        ).slice(0, limit)
      ));
      await world.clock.advance(0);
    },
    /** Answers everything until nothing is asked. */
    async answerAll() {
      await world.clock.advance(0);
      while (members.calls.length + missed.calls.length > 0) {
        if (members.calls.length > 0) await this.answerMembers();
        else await this.answerMissed();
      }
      await world.clock.advance(4);
    },
  };
}

export type Position = Parameters<CatchUp["subscribe"]>[1][0];
