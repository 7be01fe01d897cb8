import type { Broker, PresenceChanges } from "../cluster/broker.ts";
import type { Timers } from "../timers.ts";

/** Changes are published together, this long after the first of them, in milliseconds. */
const TELL_DELAY_MS = 100;

/** Every process gives a sign of life this often, in milliseconds. */
const ALIVE_INTERVAL_MS = 5_000;

/** The users of a process that has given none for this long are offline, in milliseconds. */
export const DEAD_AFTER_MS = 15_000;

export interface SharedPresenceOptions {
  broker: Broker;
  /** Whether a socket here makes the user online. */
  isOnlineHere: (userId: string) => boolean;
  /** Users that are online by a socket here. */
  onlineHere: () => Iterable<string>;
  /** Called with a user who has come online or gone offline as seen from all processes. */
  onChange: (userId: string) => void;
  clock: () => number;
  timers: Timers;
  fail: (error: unknown) => void;
}

/** Another process, as far as it is known here. */
interface Process {
  online: Set<string>;
  /** Of the last of its changes that are known here; -1: none. */
  number: number;
  /** Of the last changes it is known to have told. */
  told: number;
  lastReceivedAt: number;
  isReading: boolean;
}

/**
 * Who is online anywhere. Every process publishes its changes, numbered; one that has missed
 * some reads the other's users anew. A process that falls silent takes its users with it.
 */
export class SharedPresence {
  readonly #options: SharedPresenceOptions;
  readonly #processes = new Map<string, Process>();
  /** By how many other processes a user is online. */
  readonly #elsewhere = new Map<string, number>();
  /** What the others are yet to be told, the newest state of each user. */
  #untold = new Map<string, boolean>();
  #telling: (() => void) | undefined;
  #number = 0;
  /** Whether all but the untold is noted. */
  #isNoted = false;

  constructor(options: SharedPresenceOptions) {
    this.#options = options;
    if (options.broker.shared !== undefined) this.#keepAlive();
  }

  isOnline(userId: string): boolean {
    return this.#options.isOnlineHere(userId) || this.#elsewhere.has(userId);
  }

  /** The other processes that are alive, as far as is known here. */
  others(): string[] {
    return [...this.#processes.keys()];
  }

  /** A user has come online or gone offline here. */
  changedHere(userId: string, online: boolean): void {
    const { broker, timers, onChange } = this.#options;
    if (!this.#elsewhere.has(userId)) onChange(userId);
    if (broker.shared === undefined) return;
    this.#untold.set(userId, online);
    this.#telling ??= timers.after(TELL_DELAY_MS, () => {
      this.#telling = undefined;
      void this.#tell();
    });
  }

  /** Another process has told changes. */
  changedElsewhere(
    from: string,
    number: number,
    { online, offline }: PresenceChanges,
  ): void {
    const process = this.#received(from, number - 1, number);
    if (process === undefined) return;
    process.number = number;
    for (const userId of online) this.#set(process, userId, true);
    for (const userId of offline) this.#set(process, userId, false);
  }

  /** Another process is alive, and its last changes had this number. */
  alive(from: string, number: number): void {
    this.#received(from, number, number);
  }

  /** Another process has ended. */
  gone(from: string): void {
    const process = this.#processes.get(from);
    if (process === undefined) return;
    this.#processes.delete(from);
    for (const userId of [...process.online]) {
      this.#set(process, userId, false);
    }
  }

  /** Another process wants to know who is here. */
  introduce(): void {
    const { broker } = this.#options;
    broker.publish("presence", {
      kind: "alive",
      from: broker.processId,
      number: this.#number,
    });
  }

  /** The broker works, for the first time or again: whatever it held may be gone. */
  async brokerUp(): Promise<void> {
    const { broker, clock } = this.#options;
    const now = clock();
    for (const process of this.#processes.values()) {
      process.lastReceivedAt = now;
    }
    await this.#noteAll();
    void broker.publish("presence", { kind: "hello" });
  }

  /** Takes the users of dead processes offline. While the broker is away no process can be told dead. */
  sweep(): void {
    const { broker, clock } = this.#options;
    if (broker.isUp !== true) return;
    const now = clock();
    for (const [name, process] of this.#processes) {
      if (process.lastReceivedAt < now - DEAD_AFTER_MS) this.gone(name);
    }
  }

  /** This process ends. */
  async leave(): Promise<void> {
    const { broker } = this.#options;
    broker.publish("presence", {
      kind: "goodbye",
      from: broker.processId,
    });
    await broker.shared?.replaceOnline([]).catch(() => {});
  }

  #keepAlive(): void {
    const { broker, onlineHere, timers } = this.#options;
    timers.after(ALIVE_INTERVAL_MS, async () => {
      this.#keepAlive();
      if (broker.isUp !== true) return;
      this.introduce();
      try {
        // What is yet to be told is not noted either: that is looked at the next time.
        const isSettled = this.#untold.size === 0;
        const noted = await broker.shared!.keepOnline();
        const isWhole = !isSettled || noted === [...onlineHere()].length;
        if (!this.#isNoted || !isWhole) await this.#noteAll();
      } catch {
        // Away: it says so when it is back.
      }
    });
  }

  /** Notes anew who is online here, and has the others read it. */
  async #noteAll(): Promise<void> {
    const { broker, onlineHere, fail } = this.#options;
    this.#untold.clear();
    this.#isNoted = false;
    try {
      await broker.shared!.replaceOnline([...onlineHere()]);
      this.#isNoted = true;
      // A process that received the last number has to read anew.
      this.#number++;
      this.introduce();
    } catch (error) {
      // With the next sign of life it is tried again.
      fail(error);
    }
  }

  async #tell(): Promise<void> {
    const { broker } = this.#options;
    const changes = [...this.#untold];
    this.#untold = new Map();
    const having = (online: boolean) =>
      changes.filter(([, isOnline]) => isOnline === online).map(([id]) => id);
    const told = { online: having(true), offline: having(false) };
    try {
      // First noted, then told: who reads because of the telling finds it.
      await broker.shared!.noteOnline(told);
      broker.publish("presence", {
        kind: "presence",
        from: broker.processId,
        number: ++this.#number,
        changes: told,
      });
    } catch {
      // Away, or slow without ever being away.
      this.#isNoted = false;
    }
  }

  /**
   * A signal of a process has come in.
   *
   * @param before number of its signal before
   * @param after number up to which it is known after this one
   * @returns undefined when there is nothing new, or when it must be read, which has begun
   */
  #received(name: string, before: number, after: number): Process | undefined {
    const now = this.#options.clock();
    let process = this.#processes.get(name);
    if (process === undefined) {
      const nothing = {
        number: -1,
        told: -1,
        lastReceivedAt: now,
        isReading: false,
      };
      process = { online: new Set(), ...nothing };
      this.#processes.set(name, process);
    }
    process.lastReceivedAt = now;
    process.told = Math.max(process.told, after);
    if (process.isReading || after <= process.number) return undefined;
    if (process.number === before) return process;
    void this.#read(name, process);
    return undefined;
  }

  /** Reads a process's users; again, when it has told more meanwhile. */
  async #read(name: string, process: Process): Promise<void> {
    const { shared } = this.#options.broker;
    process.isReading = true;
    try {
      while (process.number < process.told) {
        // A change is stored before it is published: everything published up to now will be read.
        const { told } = process;
        const online = new Set(await shared!.listOnline(name));
        if (this.#processes.get(name) !== process) return;
        for (const userId of [...process.online]) {
          if (!online.has(userId)) this.#set(process, userId, false);
        }
        for (const userId of online) this.#set(process, userId, true);
        process.number = told;
      }
    } catch {
      // With the next sign of life it is tried again.
      process.number = -1;
    } finally {
      process.isReading = false;
    }
  }

  #set(process: Process, userId: string, online: boolean): void {
    const { isOnlineHere, onChange } = this.#options;
    if (process.online.has(userId) === online) return;
    if (online) process.online.add(userId);
    else process.online.delete(userId);
    const count = (this.#elsewhere.get(userId) ?? 0) + (online ? 1 : -1);
    if (count > 0) this.#elsewhere.set(userId, count);
    else this.#elsewhere.delete(userId);
    const hasChanged = online ? count === 1 : count === 0;
    if (hasChanged && !isOnlineHere(userId)) onChange(userId);
  }
}
