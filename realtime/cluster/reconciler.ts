/**
 * Polls PostgreSQL for updates that the broker dropped: each room's newest numbers, and the memberships of
 * the users who are subscribed here. A few statements for all rooms.
 */

import type { MembershipKey } from "../../db/memberships.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Timers } from "../timers.ts";
import type { Broker } from "./broker.ts";

/** How often the newest numbers are read, in milliseconds: this bounds how late a message can be. */
const INTERVAL_UP_MS = 5_000;
const INTERVAL_AWAY_MS = 1_000;

/** Memberships are read in every third round. */
const ROUNDS_PER_MEMBERSHIP_CHECK = 3;

/** Most rooms, or memberships, in one statement. */
const AT_ONCE = 1_000;

export interface ReconcilerOptions {
  hub: Hub;
  broker: Broker;
  newestOf: (
    roomIds: readonly string[],
  ) => Promise<{ id: string; last_seq: number; last_rev: number }[]>;
  /** A room has fewer messages than were shown: the history is another one. */
  onShrunk: (roomId: string, known: number) => void;
  /** Finds out whether another process has noticed that. */
  checkHistory: () => Promise<void>;
  /** Of these memberships, those that do not exist. */
  missingAmong: (keys: readonly MembershipKey[]) => Promise<MembershipKey[]>;
  /**
   * A membership of a subscribed user did not exist when it was read. It may have begun again between the
   * query and this call.
   */
  onMissing: (key: MembershipKey) => void;
  isDone: () => boolean;
  timers: Timers;
  fail: (error: unknown) => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  #cancel: (() => void) | undefined;
  #running = false;
  #again = false;
  #round = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Begins to poll every few seconds, unless this is the only process. */
  start(): void {
    if (this.#options.broker.isUp !== undefined) this.#schedule();
  }

  /** Polls now, memberships too: the broker is back, or has gone with what it was about to publish. */
  now(): void {
    this.#cancel?.();
    // The reading under way may have begun too early.
    if (this.#running) this.#again = true;
    else {
      this.#round = 0;
      void this.#run();
    }
  }

  #schedule(): void {
    const { broker, timers, isDone } = this.#options;
    if (isDone()) return;
    this.#cancel = timers.after(
      broker.isUp ? INTERVAL_UP_MS : INTERVAL_AWAY_MS,
      () => void this.#run(),
    );
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { fail } = this.#options;
    try {
      const { hub, checkHistory } = this.#options;
      if (hub.roomCount > 0) await checkHistory();
      await this.#findMessages();
      if (this.#round++ % ROUNDS_PER_MEMBERSHIP_CHECK === 0) {
        await this.#findEndedMemberships();
      }
    } catch (error) {
      fail(error);
    }
    this.#running = false;
    if (!this.#again) return this.#schedule();
    this.#again = false;
    this.now();
  }

  async #findMessages(): Promise<void> {
    const { hub, newestOf, onShrunk } = this.#options;
    const roomIds = [...hub.roomIds()];
    for (let start = 0; start < roomIds.length; start += AT_ONCE) {
      const asked = roomIds.slice(start, start + AT_ONCE);
      // As it is now: what is stored while the database answers is newer than its answer.
      const known = new Map(
        asked.map((id) => [id, hub.feed(id)?.newest ?? 0]),
      );
      const rooms = await newestOf(asked);
      for (const { id, last_seq, last_rev } of rooms) {
        hub.feed(id)?.expect(last_seq);
        hub.feed(id)?.changes.expect(last_rev);
        if (last_seq < known.get(id)!) onShrunk(id, known.get(id)!);
      }
    }
  }

  async #findEndedMemberships(): Promise<void> {
    const { hub, missingAmong, onMissing } = this.#options;
    const keys = new Map<string, MembershipKey>();
    for (const roomId of hub.roomIds()) {
      // A connection that is not admitted yet may never have been a member's.
      for (const { user } of hub.feed(roomId)!.admitted()) {
        keys.set(`${user.id}${roomId}`, { userId: user.id, roomId });
      }
    }
    const all = [...keys.values()];
    for (let start = 0; start < all.length; start += AT_ONCE) {
      const missing = await missingAmong(all.slice(start, start + AT_ONCE));
      missing.forEach(onMissing);
    }
  }
}
