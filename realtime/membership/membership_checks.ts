/**
 * Checks memberships that another process, or an old answer, reports as ended. The report can be late:
 * the user may be a member again, and unsubscribing them would leave a member without messages. So the
 * database is asked first. The times of two processes are not compared: their clocks differ by more than
 * a signal is late.
 *
 * Live messages are buffered until the check completes, so a former member receives nothing. When the
 * database does not answer in time, the report is taken as true: being unsubscribed wrongly costs a
 * member one `room:join`; a message that leaked cannot be taken back. A connection that is catching up is
 * not buffered again, as its own reading may be newer: if the user has left, it gets the rest of that
 * replay and at most what comes within {@link ANSWER_LIMIT_MS}.
 */

import type { MembershipKey } from "../../db/memberships.ts";
import type { MembershipChange } from "../cluster/broker.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Subscription } from "../rooms/subscription.ts";
import type { Timers } from "../timers.ts";

/** How long the database may take to answer, in milliseconds. */
export const ANSWER_LIMIT_MS = 2_000;

/** Until a check without an answer is repeated, in milliseconds: for the roster alone. */
export const RETRY_MS = 5_000;

/** Most memberships in one statement. */
const AT_ONCE = 1_000;

export interface MembershipChecksOptions {
  hub: Hub;
  /** Of these memberships, those that do not exist. */
  missingAmong: (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;
  /** The membership has ended, or the database did not say that it has not. */
  onEnded: (change: MembershipChange) => void;
  /** The user is a member. */
  onConfirmed: (change: MembershipChange) => void;
  timers: Timers;
  fail: (error: unknown) => void;
}

interface Check {
  /** The last report. */
  change: MembershipChange;
  /** The subscriptions that are buffered for this check alone. */
  readonly suspended: Set<Subscription>;
  /** Something changed since the database was asked: its answer may be too old. */
  isStale: boolean;
  /** There was no answer, and the user is unsubscribed: only the roster still needs one. */
  isCut: boolean;
  /** Whether it is to be asked in the next statement. */
  isDue: boolean;
}

/** One statement at a time, for all checks that wait. */
export class MembershipChecks {
  readonly #options: MembershipChecksOptions;
  readonly #open = new Map<string, Check>();
  #running = false;

  constructor(options: MembershipChecksOptions) {
    this.#options = options;
  }

  /** Verifies a report that a membership has ended. Ends in `onEnded` or `onConfirmed`, or in one after the other. */
  verify(change: MembershipChange): void {
    const key = keyOf(change.user.id, change.roomId);
    let check = this.#open.get(key);
    if (check === undefined) {
      check = {
        ...{ change, suspended: new Set<Subscription>() },
        ...{ isStale: false, isCut: false, isDue: true },
      };
      this.#open.set(key, check);
    }
    // Another report on the same membership: it concerns connections that subscribed since, too.
    check.change = change;
    check.isStale = check.isDue = true;
    check.isCut = false;
    this.#suspend(check);
    if (!this.#running) void this.#run();
  }

  /** The membership was changed here, or a change was received: an answer on its way may be too old. */
  changed(userId: string, roomId: string): void {
    const check = this.#open.get(keyOf(userId, roomId));
    if (check !== undefined) check.isStale = true;
  }

  /** A connection catches up: it reads for itself whether the user is a member, and then goes live. */
  held(subscription: Subscription, roomId: string): void {
    if (this.#open.size === 0) return;
    const check = this.#open.get(
      keyOf(subscription.connection.user.id, roomId),
    );
    if (check === undefined) return;
    check.isStale = true;
    check.suspended.delete(subscription);
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      for (const check of due) {
        check.isStale = false;
        this.#suspend(check);
      }
      const missing = await this.#ask(due);
      for (const check of due) {
        if (missing === undefined) this.#giveUp(check);
        else if (!check.isStale) this.#settle(check, missing);
      }
    }
    this.#running = false;
  }

  #due(): Check[] {
    return [...this.#open.values()].filter(({ isDue }) => isDue)
      .slice(0, AT_ONCE);
  }

  /** @returns keys of the memberships that do not exist; undefined without an answer */
  async #ask(checks: readonly Check[]): Promise<Set<string> | undefined> {
    const { missingAmong, timers, fail } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = timers.after(
      ANSWER_LIMIT_MS,
      () => late.reject(new Error("the database has not answered in time")),
    );
    try {
      const keys = checks.map(({ change: { user, roomId } }) => ({
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

  #settle(check: Check, missing: ReadonlySet<string>): void {
    const { onEnded, onConfirmed } = this.#options;
    const { change } = check;
    const key = keyOf(change.user.id, change.roomId);
    this.#open.delete(key);
    if (missing.has(key)) return onEnded(change);
    if (!this.#resume(check)) onEnded(change);
    onConfirmed(change);
  }

  #giveUp(check: Check): void {
    check.isDue = false;
    check.suspended.clear();
    // A connection that subscribed since has read for itself that the user is a member.
    if (!check.isCut) this.#options.onEnded(check.change);
    check.isCut = true;
    this.#options.timers.after(RETRY_MS, () => {
      check.isDue = true;
      if (!this.#running) void this.#run();
    });
  }

  /** Buffers live messages; subscriptions that are buffered already are catching up. */
  #suspend({ change: { user, roomId }, suspended, isCut }: Check): void {
    const feed = this.#options.hub.feed(roomId);
    if (feed === undefined || isCut) return;
    for (const connection of feed.connectionsOf(user.id)) {
      if (feed.subscriptionOf(connection)!.held !== undefined) continue;
      suspended.add(feed.hold(connection).subscription);
    }
  }

  /** @returns false when more came than could be held back: then only catching up helps */
  #resume({ change: { roomId }, suspended }: Check): boolean {
    const { hub } = this.#options;
    const feed = hub.feed(roomId);
    const standing = [...suspended].filter((each) =>
      hub.isCurrent(roomId, each)
    );
    if (standing.some(({ overflowed }) => overflowed)) return false;
    for (const subscription of standing) {
      feed?.release(subscription, subscription.through);
    }
    return true;
  }
}

function keyOf(userId: string, roomId: string): string {
  return `${userId}${roomId}`;
}
