import type { Connection } from "./connection.ts";
import { eventFrame, type Frame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { paceOf } from "./pace.ts";
import { MAX_ROSTER_USERS, type RosterUser, type UserRef } from "./protocol.ts";
import type { Timers } from "./timers.ts";

export interface RostersOptions {
  hub: Hub;
  isOnline: (userId: string) => boolean;
  loadMembers: (roomId: string) => Promise<UserRef[]>;
  clock: () => number;
  timers: Timers;
  /** Told when members could not be loaded; the roster follows with the next change. */
  fail: (error: unknown) => void;
}

/** The members of one followed room, split by presence so that the online ones are found without a search. */
interface Roster {
  online: Map<string, string>;
  offline: Map<string, string>;
  /** The last roster everyone was sent, as text. */
  sent: string | undefined;
  sentAt: number;
  timer: (() => void) | undefined;
}

/** Keeps the rosters of followed rooms and sends them, seldom enough (see {@link paceOf}). */
export class Rosters {
  readonly #options: RostersOptions;
  readonly #rosters = new Map<string, Roster>();
  readonly #loading = new Map<string, Promise<Roster | undefined>>();
  /** Rooms with a roster here, by member. */
  readonly #roomsOfUser = new Map<string, Set<string>>();
  /** Counts membership changes of a room, so that one during a load is noticed. */
  readonly #changes = new Map<string, number>();

  constructor(options: RostersOptions) {
    this.#options = options;
  }

  /** Sends one connection the room's roster as it is now. */
  async sendTo(connection: Connection, roomId: string): Promise<void> {
    const roster = this.#rosters.get(roomId) ?? await this.#load(roomId);
    if (roster !== undefined && connection.rooms.has(roomId)) {
      connection.send(this.#frame(roomId, roster));
    }
  }

  /** Somebody has begun or ceased to be a member. */
  memberChanged(roomId: string, user: UserRef, isMember: boolean): void {
    if (this.#loading.has(roomId)) {
      this.#changes.set(roomId, (this.#changes.get(roomId) ?? 0) + 1);
    }
    const roster = this.#rosters.get(roomId);
    if (roster === undefined) return;
    if (isMember) this.#addMember(roomId, roster, user);
    else this.#removeMember(roomId, roster, user.id);
    this.#schedule(roomId, roster);
  }

  /** Somebody has come online or gone offline. */
  presenceChanged(userId: string): void {
    for (const roomId of this.#roomsOfUser.get(userId) ?? []) {
      const roster = this.#rosters.get(roomId)!;
      const username = roster.online.get(userId) ?? roster.offline.get(userId)!;
      this.#addMember(roomId, roster, { id: userId, username });
      this.#schedule(roomId, roster);
    }
  }

  /** Loads the rosters of followed rooms anew, one after another: changes may have been missed. */
  async refresh(): Promise<void> {
    for (const roomId of [...this.#rosters.keys()]) {
      const roster = await this.#load(roomId);
      if (roster !== undefined) this.#schedule(roomId, roster);
    }
  }

  /** Drops the rosters of rooms that nobody follows any more. */
  sweep(): void {
    for (const [roomId, roster] of this.#rosters) {
      if (this.#options.hub.feed(roomId) !== undefined) continue;
      this.#forget(roomId, roster);
    }
  }

  #forget(roomId: string, roster: Roster): void {
    roster.timer?.();
    for (
      const userId of [...roster.online.keys(), ...roster.offline.keys()]
    ) {
      this.#removeMember(roomId, roster, userId);
    }
    this.#rosters.delete(roomId);
  }

  #load(roomId: string): Promise<Roster | undefined> {
    let loading = this.#loading.get(roomId);
    if (loading === undefined) {
      loading = this.#loadNow(roomId).finally(() => {
        this.#loading.delete(roomId);
        this.#changes.delete(roomId);
      });
      this.#loading.set(roomId, loading);
    }
    return loading;
  }

  async #loadNow(roomId: string): Promise<Roster | undefined> {
    try {
      let members: UserRef[];
      let changes: number;
      do {
        changes = this.#changes.get(roomId) ?? 0;
        members = await this.#options.loadMembers(roomId);
      } while (changes !== (this.#changes.get(roomId) ?? 0));
      const known = this.#rosters.get(roomId);
      if (known !== undefined) this.#forget(roomId, known);
      const roster: Roster = {
        online: new Map(),
        offline: new Map(),
        sent: known?.sent,
        sentAt: known?.sentAt ?? -Infinity,
        timer: undefined,
      };
      for (const user of members) this.#addMember(roomId, roster, user);
      this.#rosters.set(roomId, roster);
      return roster;
    } catch (error) {
      this.#options.fail(error);
      return undefined;
    }
  }

  #addMember(roomId: string, roster: Roster, user: UserRef): void {
    const online = this.#options.isOnline(user.id);
    (online ? roster.offline : roster.online).delete(user.id);
    (online ? roster.online : roster.offline).set(user.id, user.username);
    const rooms = this.#roomsOfUser.get(user.id);
    if (rooms === undefined) this.#roomsOfUser.set(user.id, new Set([roomId]));
    else rooms.add(roomId);
  }

  #removeMember(roomId: string, roster: Roster, userId: string): void {
    roster.online.delete(userId);
    roster.offline.delete(userId);
    const rooms = this.#roomsOfUser.get(userId);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#roomsOfUser.delete(userId);
  }

  #schedule(roomId: string, roster: Roster): void {
    const { hub, clock, timers } = this.#options;
    if (roster.timer !== undefined) return;
    const interval = paceOf(hub.feed(roomId)?.followerCount ?? 0);
    // No longer than the interval, also when the clock was set back.
    const wait = Math.min(
      interval,
      Math.max(0, roster.sentAt + interval - clock()),
    );
    roster.timer = timers.after(wait, () => {
      roster.timer = undefined;
      roster.sentAt = clock();
      const frame = this.#frame(roomId, roster);
      // Somebody who left and came back in between has changed nothing.
      if (frame.text === roster.sent) return;
      roster.sent = frame.text;
      hub.feed(roomId)?.broadcast(frame);
    });
  }

  #frame(roomId: string, roster: Roster): Frame {
    const online = listed(roster.online, "online", MAX_ROSTER_USERS);
    const offline = listed(
      roster.offline,
      "offline",
      MAX_ROSTER_USERS - online.length,
    );
    return eventFrame({
      event: "room:roster",
      data: {
        roomId,
        users: [...online, ...offline],
        onlineCount: roster.online.size,
        memberCount: roster.online.size + roster.offline.size,
      },
    });
  }
}

/** The first of them, ordered by name. */
function listed(
  users: ReadonlyMap<string, string>,
  status: RosterUser["status"],
  most: number,
): RosterUser[] {
  const list: RosterUser[] = [];
  for (const [id, username] of users) {
    if (list.length >= most) break;
    list.push({ id, username, status });
  }
  return list.sort((a, b) => a.username < b.username ? -1 : 1);
}
