/**
 * Memberships that are said to have ended, by another process or by an answer that may be old. Such
 * word can come late: the user may be a member again by now, and whoever cut them off then would
 * leave a member without messages, with nothing to make up for it. So the database is asked first.
 * The times of two processes are not compared: their clocks differ by more than a signal is late.
 *
 * Whoever has left in truth must not gain by the question: live messages are held back from the
 * moment it is raised, and when the database does not answer the word is taken as true. To be sent
 * away wrongly costs a member one `room:join`; what has leaked cannot be taken back. A socket that is
 * just catching up is left to it, as its own reading may be the newer one: if the user has left, it
 * gets the rest of that replay and at most what comes within {@link ANSWER_LIMIT_MS}.
 */

import type { MembershipKey } from "../../db/memberships.ts";
import type { MembershipChange } from "../cluster/broker.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Follower } from "../rooms/room_feed.ts";
import type { Timers } from "../timers.ts";

/** So long the database may take to answer, in milliseconds. */
export const ANSWER_LIMIT_MS = 2_000;

/** Until a question without an answer is asked again, in milliseconds: for the roster alone. */
export const RETRY_MS = 5_000;

/** Most memberships in one statement. */
const AT_ONCE = 1_000;

export interface DoubtsOptions {
  hub: Hub;
  /** Of these memberships, those that do not exist. */
  missingAmong: (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;
  /** The membership has ended, or nobody can say that it has not. */
  onEnded: (change: MembershipChange) => void;
  /** The user is a member, whatever was said before. */
  onStands: (change: MembershipChange) => void;
  timers: Timers;
  fail: (error: unknown) => void;
}

interface Doubt {
  /** What was said last. */
  change: MembershipChange;
  /** The sockets whose messages are held back for this question, and by nobody else. */
  readonly suspended: Set<Follower>;
  /** Something has happened since the database was asked: its answer may be too old. */
  isStale: boolean;
  /** There was no answer, and the sockets are cut: only the roster still wants to know. */
  isCut: boolean;
  /** Whether it is to be asked, or to wait. */
  isDue: boolean;
}

/** Asks for doubtful memberships: one statement at a time, for all that have gathered. */
export class Doubts {
  readonly #options: DoubtsOptions;
  readonly #open = new Map<string, Doubt>();
  #running = false;

  constructor(options: DoubtsOptions) {
    this.#options = options;
  }

  /** Somebody says that a membership has ended. Ends in `onEnded` or `onStands`, or in one after the other. */
  raise(change: MembershipChange): void {
    const key = keyOf(change.user.id, change.roomId);
    let doubt = this.#open.get(key);
    if (doubt === undefined) {
      doubt = {
        ...{ change, suspended: new Set<Follower>() },
        ...{ isStale: false, isCut: false, isDue: true },
      };
      this.#open.set(key, doubt);
    }
    // Another end of the same membership: sockets that have come since are in doubt, too.
    doubt.change = change;
    doubt.isStale = doubt.isDue = true;
    doubt.isCut = false;
    this.#suspend(doubt);
    if (!this.#running) void this.#run();
  }

  /** The membership was changed, or its change was heard of: an answer that is on its way may be too old. */
  changed(userId: string, roomId: string): void {
    const doubt = this.#open.get(keyOf(userId, roomId));
    if (doubt !== undefined) doubt.isStale = true;
  }

  /** A socket catches up: it reads for itself whether the user is a member, and lets itself go live. */
  held(follower: Follower, roomId: string): void {
    if (this.#open.size === 0) return;
    const doubt = this.#open.get(keyOf(follower.connection.user.id, roomId));
    if (doubt === undefined) return;
    doubt.isStale = true;
    doubt.suspended.delete(follower);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      for (const doubt of due) {
        doubt.isStale = false;
        this.#suspend(doubt);
      }
      const missing = await this.#ask(due);
      for (const doubt of due) {
        if (missing === undefined) this.#giveUp(doubt);
        else if (!doubt.isStale) this.#settle(doubt, missing);
      }
    }
    this.#running = false;
  }

  #due(): Doubt[] {
    return [...this.#open.values()].filter(({ isDue }) => isDue)
      .slice(0, AT_ONCE);
  }

  /** @returns keys of the memberships that do not exist; undefined without an answer */
  async #ask(doubts: readonly Doubt[]): Promise<Set<string> | undefined> {
    const { missingAmong, timers, fail } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = timers.after(
      ANSWER_LIMIT_MS,
      () => late.reject(new Error("the database has not answered in time")),
    );
    try {
      const keys = doubts.map(({ change: { user, roomId } }) => ({
        ...{ userId: user.id, roomId },
      }));
      const missing = await Promise.race([missingAmong(keys), late.promise]);
      return new Set(
        missing.map(({ userId, roomId }) => keyOf(userId, roomId)),
      );
    } catch (error) {
      fail(error);
      return undefined;
    } finally {
      cancel();
    }
  }

  #settle(doubt: Doubt, missing: ReadonlySet<string>): void {
    const { onEnded, onStands } = this.#options;
    const { change } = doubt;
    const key = keyOf(change.user.id, change.roomId);
    this.#open.delete(key);
    if (missing.has(key)) return onEnded(change);
    if (!this.#resume(doubt)) onEnded(change);
    onStands(change);
  }

  #giveUp(doubt: Doubt): void {
    doubt.isDue = false;
    doubt.suspended.clear();
    // A socket that has come after the cut has read for itself that the user is a member.
    if (!doubt.isCut) this.#options.onEnded(doubt.change);
    doubt.isCut = true;
    this.#options.timers.after(RETRY_MS, () => {
      doubt.isDue = true;
      if (!this.#running) void this.#run();
    });
  }

  /** Holds live messages back; sockets that are held back already are catching up. */
  #suspend({ change: { user, roomId }, suspended, isCut }: Doubt): void {
    const feed = this.#options.hub.feed(roomId);
    if (feed === undefined || isCut) return;
    for (const connection of feed.connectionsOf(user.id)) {
      if (feed.followerOf(connection)!.held !== undefined) continue;
      suspended.add(feed.hold(connection).follower);
    }
  }

  /** @returns false when more came than could be held back: then only catching up helps */
  #resume({ change: { roomId }, suspended }: Doubt): boolean {
    const { hub } = this.#options;
    const feed = hub.feed(roomId);
    const standing = [...suspended].filter((each) => hub.stands(roomId, each));
    if (standing.some(({ overflowed }) => overflowed)) return false;
    for (const follower of standing) feed?.release(follower, follower.through);
    return true;
  }
}

function keyOf(userId: string, roomId: string): string {
  return `${userId}${roomId}`;
}
