/**
 * What is asked of the database on behalf of a user, again and again as their sockets like. At most
 * one query of each kind is on its way for each user, and answers all that came meanwhile: a user who
 * asks a thousand times a second takes no more of the database than one who asks twice.
 */

import type { MemberRoom } from "../../db/memberships.ts";
import type { KnownPost, NewMessage } from "../../db/messages.ts";
import { GroupedCalls } from "../grouped_calls.ts";
import type { Timers } from "../timers.ts";

/** Pause between two look-ups of what one user wants to post and may not, in milliseconds. */
export const LOOK_UP_PAUSE_MS = 25;

/** Messages of one user that may wait to be looked up; further ones are not. */
export const MAX_WAITING_LOOK_UPS = 100;

export interface UserQueriesOptions {
  findPosts: (
    userId: string,
    posts: readonly NewMessage[],
  ) => Promise<KnownPost[]>;
  memberRooms: (userId: string, roomIds: string[]) => Promise<MemberRoom[]>;
  timers: Timers;
}

export interface UserQueries {
  /**
   * What is stored about a message its author wants to post. Rejects when the query does.
   *
   * @returns undefined, at once, when too many of the author's messages wait for the same
   */
  lookUp(message: NewMessage): Promise<KnownPost> | undefined;
  /** Of these rooms, those the user is a member of. Asked after this call, never before. */
  memberRooms(userId: string, roomIds: string[]): Promise<MemberRoom[]>;
}

export function createUserQueries(
  { findPosts, memberRooms, timers }: UserQueriesOptions,
): UserQueries {
  const lookUps = new GroupedCalls<NewMessage, KnownPost>(
    findPosts,
    () => new Promise((resolve) => timers.after(LOOK_UP_PAUSE_MS, resolve)),
  );
  const memberships = new GroupedCalls<string[], MemberRoom[]>(
    async (userId, lists) => {
      if (lists.length === 1) return [await memberRooms(userId, lists[0]!)];
      const rooms = await memberRooms(userId, [...new Set(lists.flat())]);
      const byId = new Map(rooms.map((room) => [room.room_id, room]));
      return lists.map((roomIds) =>
        roomIds.flatMap((id) => byId.get(id) ?? [])
      );
    },
  );
  return {
    lookUp: (message) =>
      lookUps.waiting(message.userId) < MAX_WAITING_LOOK_UPS
        ? lookUps.call(message.userId, message)
        : undefined,
    memberRooms: (userId, roomIds) => memberships.call(userId, roomIds),
  };
}
