import type { Connection } from "../connection/connection.ts";
import { eventFrame, type Frame } from "../connection/frames.ts";
import type { RoomRoster, UserRef } from "../protocol/protocol.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Timers } from "../timers.ts";
import { Turns } from "../turns.ts";
import { paceOf } from "./pace.ts";
import { RecentMembers } from "./recent_members.ts";
import { rosterView } from "./roster_view.ts";

export interface RostersOptions {
  hub: Hub;
  isOnline: (userId: string) => boolean;
  loadMembers: (roomId: string) => Promise<UserRef[]>;
  clock: () => number;
  timers: Timers;
  /** Told when members could not be loaded; the roster follows with the next change. */
  fail: (error: unknown) => void;
}

/** Rosters loaded at the same time, at most: a connection that subscribes to many rooms at once must not block the database for others. */
const MAX_LOADS = 2;

/** The members of one room with subscribers, split by presence so that the online ones are found without a search. */
interface Roster {
  online: Map<string, string>;
  offline: Map<string, string>;
  /** The roster as it is now, encoded when it was first needed. */
  frame: Frame | undefined;
  /** The last roster everyone was sent, as text. */
  sent: string | undefined;
  sentAt: number;
  timer: (() => void) | undefined;
}

/** A roster on its way from the database. */
interface Load {
  /** Who has come or gone since the reading began, the last change of each. */
  changes: Map<string, { user: UserRef; isMember: boolean }>;
  /** Who gets the roster when it is there. */
  waiting: Set<Connection>;
  done: Promise<Roster | undefined>;
}

/** Keeps the rosters of rooms with subscribers and sends them, seldom enough (see {@link paceOf}). */
export class Rosters {
  readonly #options: RostersOptions;
  readonly #rosters = new Map<string, Roster>();
  readonly #loads = new Map<string, Load>();
  readonly #turns = new Turns(MAX_LOADS);
  /** Rooms with a roster here, by member. */
  readonly #roomsOfUser = new Map<string, Set<string>>();
  /** Of rooms without a roster here. */
  readonly #recentMembers: RecentMembers;

  constructor(options: RostersOptions) {
    this.#options = options;
    this.#recentMembers = new RecentMembers(
      options.loadMembers,
      options.timers,
    );
  }

  /**
   * Sends one connection the room's roster: now, or as soon as it is loaded.
   *
   * @returns resolves when the load has ended, well or not; undefined when there is none to wait for
   */
  sendTo(connection: Connection, roomId: string): Promise<void> | undefined {
    if (this.#rosters.has(roomId)) {
      this.#send(connection, roomId);
      return undefined;
    }
    const load = this.#load(roomId);
    load.waiting.add(connection);
    return load.done.then(() => {});
  }

  /**
   * The room's roster as it is now, also of a room without subscribers here; undefined when its members
   * could not be loaded.
   */
  async read(roomId: string): Promise<RoomRoster | undefined> {
    const known = this.#rosters.get(roomId);
    if (known !== undefined) return rosterView(roomId, known);
    try {
      const members = { online: new Map(), offline: new Map() };
      for (const { id, username } of await this.#recentMembers.read(roomId)) {
        const isOnline = this.#options.isOnline(id);
        members[isOnline ? "online" : "offline"].set(id, username);
      }
      return rosterView(roomId, members);
    } catch (error) {
      this.#options.fail(error);
      return undefined;
    }
  }

  /** A user has joined or left the room. */
  memberChanged(roomId: string, user: UserRef, isMember: boolean): void {
    this.#recentMembers.forget(roomId);
    this.#loads.get(roomId)?.changes.set(user.id, { user, isMember });
    const roster = this.#rosters.get(roomId);
    if (roster === undefined) return;
    this.#change(roomId, roster, user, isMember);
    this.#schedule(roomId, roster);
  }

  /** A user has come online or gone offline. */
  presenceChanged(userId: string): void {
    for (const roomId of this.#roomsOfUser.get(userId) ?? []) {
      const roster = this.#rosters.get(roomId)!;
      const username = roster.online.get(userId) ?? roster.offline.get(userId)!;
      this.#addMember(roomId, roster, { id: userId, username });
      this.#schedule(roomId, roster);
    }
  }

  /** Loads the rosters of rooms with subscribers anew, one after another: changes may have been missed. */
  async refresh(): Promise<void> {
    for (const roomId of [...this.#rosters.keys()]) {
      const roster = await this.#load(roomId).done;
      if (roster !== undefined) this.#schedule(roomId, roster);
    }
  }

  /** Drops the rosters of rooms without subscribers. */
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

  #load(roomId: string): Load {
    let load = this.#loads.get(roomId);
    if (load === undefined) {
      const begun: Omit<Load, "done"> = {
        changes: new Map(),
        waiting: new Set(),
      };
      load = Object.assign(begun, {
        done: this.#turns.run("load", () => this.#read(roomId, begun)),
      });
      this.#loads.set(roomId, load);
    }
    return load;
  }

  async #read(
    roomId: string,
    load: Omit<Load, "done">,
  ): Promise<Roster | undefined> {
    // What changed before the reading is in it.
    load.changes.clear();
    try {
      // The last subscriber may have left while it waited for its turn.
      if (this.#options.hub.feed(roomId) === undefined) return undefined;
      const members = await this.#options.loadMembers(roomId);
      const roster = this.#replace(roomId, members);
      // Read or not, this is newer.
      for (const { user, isMember } of load.changes.values()) {
        this.#change(roomId, roster, user, isMember);
      }
      for (const connection of load.waiting) this.#send(connection, roomId);
      return roster;
    } catch (error) {
      this.#options.fail(error);
      return undefined;
    } finally {
      this.#loads.delete(roomId);
    }
  }

  #replace(roomId: string, members: readonly UserRef[]): Roster {
    const known = this.#rosters.get(roomId);
    if (known !== undefined) this.#forget(roomId, known);
    const roster: Roster = {
      online: new Map(),
      offline: new Map(),
      frame: undefined,
      sent: known?.sent,
      sentAt: known?.sentAt ?? -Infinity,
      timer: undefined,
    };
    for (const user of members) this.#addMember(roomId, roster, user);
    this.#rosters.set(roomId, roster);
    return roster;
  }

  #change(
    roomId: string,
    roster: Roster,
    user: UserRef,
    isMember: boolean,
  ): void {
    if (isMember) this.#addMember(roomId, roster, user);
    else this.#removeMember(roomId, roster, user.id);
  }

  #addMember(roomId: string, roster: Roster, user: UserRef): void {
    roster.frame = undefined;
    const online = this.#options.isOnline(user.id);
    (online ? roster.offline : roster.online).delete(user.id);
    (online ? roster.online : roster.offline).set(user.id, user.username);
    const rooms = this.#roomsOfUser.get(user.id);
    if (rooms === undefined) this.#roomsOfUser.set(user.id, new Set([roomId]));
    else rooms.add(roomId);
  }

  #removeMember(roomId: string, roster: Roster, userId: string): void {
    roster.frame = undefined;
    roster.online.delete(userId);
    roster.offline.delete(userId);
    const rooms = this.#roomsOfUser.get(userId);
    rooms?.delete(roomId);
    if (rooms?.size === 0) this.#roomsOfUser.delete(userId);
  }

  #schedule(roomId: string, roster: Roster): void {
    const { hub, clock, timers } = this.#options;
    if (roster.timer !== undefined) return;
    const interval = paceOf(hub.feed(roomId)?.subscriberCount ?? 0);
    const wait = Math.max(0, roster.sentAt + interval - clock());
    roster.timer = timers.after(wait, () => {
      roster.timer = undefined;
      roster.sentAt = clock();
      const frame = this.#frame(roomId, roster);
      // A user who left and came back in between has changed nothing.
      if (frame.text === roster.sent) return;
      roster.sent = frame.text;
      for (const connection of hub.feed(roomId)?.admitted() ?? []) {
        this.#send(connection, roomId);
      }
    });
  }

  /** Sends the roster as it is then, when the connection has room for it. */
  #send(connection: Connection, roomId: string): void {
    connection.sendState(roomId, () => {
      const roster = this.#rosters.get(roomId);
      if (
        roster === undefined ||
        !this.#options.hub.subscriptionsOf(connection).has(roomId)
      ) return;
      return this.#frame(roomId, roster);
    });
  }

  #frame(roomId: string, roster: Roster): Frame {
    return roster.frame ??= eventFrame({
      event: "room:roster",
      data: rosterView(roomId, roster),
    });
  }
}
