/**
 * One fault run: clients chat while a seeded schedule breaks lines, server and database; every round
 * ends in quiet, and then everything that was said is compared with everything that is stored.
 */

import type { Message } from "../../realtime/protocol/protocol.ts";
import type { Engine } from "../helpers/database.ts";
import type { Person, Room } from "../helpers/people.ts";
import { TestCluster } from "./test_cluster.ts";
import { BrowserClient } from "./browser_client.ts";
import { check, type StoredRoom } from "./checker.ts";
import { measureCrossing } from "./crossing.ts";
import { type Crowd, gatherCrowd } from "./crowd.ts";
import { serverDeck } from "./fault_deck.ts";
import { History, keyOf, type Violation } from "./history.ts";
import { type Client, LINE_FAULTS } from "./line_faults.ts";
import { ask, listOffline } from "./questions.ts";
import { Random } from "./random.ts";
import { RawClient } from "./raw_client.ts";
import type { ServerFault } from "./server_faults.ts";
import { sleep } from "./sleep.ts";

/** Mean time between two faults on the lines of clients, in milliseconds. */
const LINE_FAULT_MS = 250;

/** Server faults in one round, and the load before, between and after them, in milliseconds. */
const SERVER_FAULTS_A_ROUND = 4;
const LOAD_BETWEEN_MS = 500;

/** Acks that are waited for after a server fault, but not for longer than this, in milliseconds. */
const ACKS_BETWEEN = 40;
const WORK_LIMIT_MS = 4_000;

/** Once nothing is broken any more everybody must be back within this time, in milliseconds. */
const COME_BACK_LIMIT_MS = 45_000;

/** Everybody is back: what they still lack must reach them within this time, in milliseconds. */
const DELIVERY_LIMIT_MS = 8_000;

/** Longest time from an ack on one machine to the arrival on another, whatever Redis does, in milliseconds. */
const CROSSING_LIMIT_MS = 10_000;

/** In quiet every machine must show everybody online within this time, in milliseconds. */
const PRESENCE_LIMIT_MS = 30_000;

/** Acked messages carried over into the next round, to be repeated there. */
const CARRIED_OVER = 200;

export interface FaultRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** Server processes; one by default. */
  readonly machines?: number;
  /** Passes over all server faults; or `kills` in place of them. */
  readonly passes?: number;
  /** Only SIGKILL, so many times. */
  readonly kills?: number;
  /** Only faults of the server and its surroundings with such a name. */
  readonly only?: RegExp;
  /** Milliseconds after which no new pass begins. */
  readonly durationMs?: number;
  /** Ends as soon as anything is wrong. */
  readonly stopAtFirst?: boolean;
  /** Takes lines of progress. */
  readonly say?: (line: string) => void;
}

export interface FaultRunResult {
  readonly seed: number;
  readonly engine: Engine;
  readonly violations: readonly Violation[];
  /** What happened, by name: faults, messages, acks, recoveries, closes. */
  readonly counts: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  /** Times from an ack on one machine to the arrival on another, in milliseconds, by circumstance. */
  readonly crossings: ReadonlyMap<string, readonly number[]>;
  readonly seconds: number;
  /** Messages in the database at the end. */
  readonly stored: number;
}

export async function faultRun(
  options: FaultRunOptions,
): Promise<FaultRunResult> {
  const run = await FaultRun.open(options);
  try {
    await run.run();
    return run.result();
  } finally {
    await run.close();
  }
}

class FaultRun {
  readonly #options: FaultRunOptions;
  readonly #startedAt = Date.now();
  readonly #random: Random;
  readonly #history: History;
  readonly #cluster: TestCluster;
  readonly #people: readonly Person[];
  readonly #roomIds: readonly string[];
  readonly #quietRoomId: string;
  readonly #clients: readonly Client[];
  readonly #faults = new Map<string, number>();
  readonly #crossings = new Map<string, number[]>();
  readonly #running = new Set<Promise<void>>();
  readonly #checkedThrough = new Map<string, number>();
  /** Stored messages checked before whose accounts are still open for repeats. */
  #carried: Message[] = [];
  #lineFaultDeck: string[] = [];
  #breakingLines = false;
  /** Ends what faults are waiting for. */
  #roundOver = Promise.withResolvers<void>();

  private constructor(
    options: FaultRunOptions,
    parts: Crowd & {
      history: History;
      random: Random;
      cluster: TestCluster;
    },
  ) {
    this.#options = options;
    this.#history = parts.history;
    this.#random = parts.random;
    this.#cluster = parts.cluster;
    this.#people = parts.people;
    this.#roomIds = parts.roomIds;
    this.#quietRoomId = parts.quietRoomId;
    this.#clients = parts.clients;
    for (const roomId of parts.roomIds) this.#checkedThrough.set(roomId, 0);
  }

  static async open(options: FaultRunOptions): Promise<FaultRun> {
    const history = new History(options.say);
    const random = new Random(options.seed);
    const cluster = await TestCluster.open({
      engine: options.engine,
      machines: options.machines ?? 1,
      alarm: (text) =>
        history.violate("the server reports no fault of its own", text),
    });
    try {
      const crowd = await gatherCrowd(cluster, history, random);
      return new FaultRun(options, { history, random, cluster, ...crowd });
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(): Promise<void> {
    for (const client of this.#clients) {
      if (client instanceof BrowserClient) await client.load();
      else client.connect();
    }
    const { kills = 0, durationMs = 0 } = this.#options;
    let { passes = kills > 0 || durationMs > 0 ? 0 : 1 } = this.#options;
    for (let pass = 0; !this.#isOver && this.#cluster.isUp; pass++) {
      const inTime = Date.now() - this.#startedAt < durationMs;
      if (kills > 0 ? pass > 0 : passes-- <= 0 && !inTime) break;
      const random = this.#random.fork(`pass ${pass}`);
      for (const round of this.#roundsOf(random)) {
        if (this.#isOver || !this.#cluster.isUp) break;
        await this.#round(round, random);
      }
    }
  }

  result(): FaultRunResult {
    const { seed, engine } = this.#options;
    return {
      seed,
      engine,
      violations: this.#history.violations,
      counts: this.#history.counts,
      faults: this.#faults,
      crossings: this.#crossings,
      seconds: (Date.now() - this.#startedAt) / 1_000,
      stored: [...this.#checkedThrough.values()].reduce((a, b) => a + b, 0),
    };
  }

  async close(): Promise<void> {
    this.#breakingLines = false;
    this.#roundOver.resolve();
    for (const client of this.#clients) await client.close();
    await this.#cluster[Symbol.asyncDispose]();
    await Promise.allSettled(this.#running);
  }

  /** Whether what is wrong already is enough. */
  get #isOver(): boolean {
    return this.#options.stopAtFirst === true &&
      this.#history.violations.length > 0;
  }

  #roundsOf(random: Random): ServerFault[][] {
    const { kills = 0, only = /(?:)/ } = this.#options;
    const deck = serverDeck(this.#cluster, random)
      .filter(({ name }) => only.test(name));
    const faults = kills === 0
      ? deck
      : Array.from({ length: kills }, () =>
        deck.find(({ name }) => name === "server killed (SIGKILL)")!);
    const perRound = kills === 0 ? SERVER_FAULTS_A_ROUND : 10;
    const loud = faults.filter(({ inQuiet }) => !inQuiet);
    const quiet = faults.filter(({ inQuiet }) => inQuiet);
    const rounds: ServerFault[][] = [];
    while (loud.length > 0 || quiet.length > 0) {
      rounds.push([...loud.splice(0, perRound), ...quiet.splice(0, 1)]);
    }
    return rounds;
  }

  async #round(faults: ServerFault[], random: Random): Promise<void> {
    for (const client of this.#clients) client.startTalking();
    const breakingLines = this.#breakLines(random.fork("lines"));
    for (const fault of faults.filter(({ inQuiet }) => !inQuiet)) {
      await sleep(random.pause(LOAD_BETWEEN_MS) + 200);
      if (this.#isOver) break;
      await this.#breakServer(fault, random);
      await this.#workGoesOn();
    }
    await sleep(LOAD_BETWEEN_MS);
    this.#breakingLines = false;
    await breakingLines;
    this.#stopTalking();
    this.#roundOver.resolve();
    await Promise.all(this.#running);
    for (const client of this.#clients) client.proxy.heal();
    if (this.#isOver) return;
    try {
      await this.#comeBack();
      for (const fault of faults.filter(({ inQuiet }) => inQuiet)) {
        await this.#breakServer(fault, random);
        await this.#comeBack();
      }
      await this.#check();
    } catch (error) {
      this.#history.violate(
        "the server serves when nothing is broken",
        `${error}; its last lines:\n${
          this.#cluster.machines.flatMap(({ server }) =>
            server.lastLines.slice(-5)
          ).join("\n")
        }`,
      );
    }
  }

  async #breakServer(fault: ServerFault, random: Random): Promise<void> {
    this.#count(fault.name);
    await fault.run({
      ...{ cluster: this.#cluster, random, history: this.#history },
      machine: random.pick(this.#cluster.machines),
      clientProxies: this.#clients.map(({ proxy }) => proxy),
      writeOne: () => this.#writeOne(),
      measureCrossing: (kind) => this.#measureCrossing(kind, random),
    });
  }

  async #measureCrossing(kind: string, random: Random): Promise<void> {
    const times = await measureCrossing({
      machines: this.#cluster.machines,
      people: this.#people,
      roomId: this.#quietRoomId,
      random,
    });
    this.#crossings.set(kind, [...this.#crossings.get(kind) ?? [], ...times]);
    const slowest = Math.max(...times);
    if (slowest > CROSSING_LIMIT_MS) {
      this.#history.violate(
        "what was acked on one machine is soon seen on the others",
        `${slowest.toFixed(0)} ms ${kind}`,
      );
    }
  }

  #stopTalking(): void {
    for (const client of this.#clients) client.stopTalking();
  }

  /** Waits for a number of acks: a fault among clients that are all away would break nothing. */
  async #workGoesOn(): Promise<void> {
    const acks = () => this.#history.counts.get("acks") ?? 0;
    const wanted = acks() + ACKS_BETWEEN;
    const deadline = Date.now() + WORK_LIMIT_MS;
    while (acks() < wanted && Date.now() < deadline && !this.#isOver) {
      await sleep(50);
    }
  }

  #writeOne(): void {
    const writer = this.#clients.find((client) =>
      client instanceof RawClient && client.isSettled && !client.busy
    );
    if (writer instanceof RawClient) writer.write(this.#roomIds.at(-1)!);
  }

  async #breakLines(random: Random): Promise<void> {
    this.#breakingLines = true;
    this.#roundOver = Promise.withResolvers();
    while (this.#breakingLines && !this.#isOver) {
      await sleep(random.pause(LINE_FAULT_MS));
      if (!this.#breakingLines) break;
      if (this.#lineFaultDeck.length === 0) {
        this.#lineFaultDeck = random.shuffle(Object.keys(LINE_FAULTS));
      }
      const name = this.#lineFaultDeck.pop()!;
      const idle = random.shuffle(
        this.#clients.filter(({ busy }) => !busy),
      );
      // Some faults are for browsers only.
      const client = /WebSockets|page/.test(name)
        ? idle.find((each) => each instanceof BrowserClient)
        : idle[0];
      if (client !== undefined) this.#breakLine(name, client, random);
    }
  }

  #breakLine(name: string, client: Client, random: Random): void {
    this.#count(name);
    client.busy = true;
    const run = async () => {
      await LINE_FAULTS[name]!(client, {
        random: random.fork(`${name} ${this.#faults.get(name)}`),
        history: this.#history,
        busyRoomId: this.#roomIds[0]!,
        pause: (ms) => Promise.race([sleep(ms), this.#roundOver.promise]),
        isOver: () => !this.#breakingLines,
      });
      client.busy = false;
      this.#running.delete(done);
    };
    const done = run();
    this.#running.add(done);
  }

  #count(name: string): void {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
  }

  /** All is quiet and nothing is broken: compares what was said with what is stored. */
  async #check(): Promise<void> {
    const heads = await this.#deliverAll();
    if (this.#cluster.machines.length > 1) await this.#expectPresence();
    const views = this.#clients.flatMap((client) => client.views());
    for (const client of this.#clients) {
      if (!(client instanceof BrowserClient)) continue;
      for (const ahead of client.storedAhead()) {
        this.#history.violate("a stored position is never ahead", ahead);
      }
    }
    const truth = await this.#cluster.truth(this.#checkedThrough);
    const rooms: StoredRoom[] = truth.map((room) => ({
      ...room,
      checkedThrough: this.#checkedThrough.get(room.roomId)!,
      earlier: this.#carried.filter(({ roomId }) => roomId === room.roomId),
    }));
    const sent = this.#history.sent;
    for (const { rule, detail } of check({ rooms, sent, views })) {
      this.#history.violate(rule, detail);
    }
    this.#carryOver(rooms);
    this.#options.say?.(
      `${this.#seconds} s: ${
        [...heads.values()].reduce((sum, { lastSeq }) => sum + lastSeq, 0)
      } messages stored, ${sent.length} checked in this round, ` +
        `${this.#history.violations.length} violations`,
    );
  }

  get #seconds(): string {
    return ((Date.now() - this.#startedAt) / 1_000).toFixed(0);
  }

  /** Waits until every client is connected, synced and answered. */
  async #comeBack(): Promise<void> {
    const deadline = Date.now() + COME_BACK_LIMIT_MS;
    const startedAt = Date.now();
    for (let look = 0;; look++) {
      const absent = this.#clients.filter((client) => !client.isSettled);
      if (absent.length === 0) break;
      for (const client of absent) {
        if (!(client instanceof BrowserClient)) continue;
        if (client.wrongEnd !== undefined) {
          this.#history.violate(
            "no fault ends a client for good",
            `${client.name}: ${client.wrongEnd}`,
          );
          return;
        }
        // Whoever has given up is brought back by its user.
        if (look % 40 === 0) client.wake();
      }
      if (Date.now() > deadline) {
        this.#history.violate(
          "after the last fault everybody comes back",
          absent.map(({ state }) => state).join("; "),
        );
        return;
      }
      await sleep(50);
    }
    this.#slowest("slowest return (ms)", Date.now() - startedAt);
  }

  /** Waits until everybody has everything, without touching any line. Gives each room as it is then. */
  async #deliverAll(): Promise<Map<string, Room>> {
    const deadline = Date.now() + DELIVERY_LIMIT_MS;
    for (;;) {
      const heads = await this.#heads();
      const isComplete = this.#clients.every((client) =>
        this.#roomIds.every((id) => {
          const { lastSeq, lastRev } = heads.get(id)!;
          return client.position(id) === lastSeq && client.rev(id) === lastRev;
        })
      );
      if (isComplete || Date.now() > deadline) return heads;
      await sleep(100);
    }
  }

  async #heads(): Promise<Map<string, Room>> {
    const rooms = await ask<Room[]>(
      this.#cluster.machines[0],
      this.#people[0]!,
      "/api/rooms",
    );
    return new Map(rooms.map((room) => [room.id, room]));
  }

  /** Everybody has a socket somewhere: waits until every machine says so. */
  async #expectPresence(): Promise<void> {
    const startedAt = Date.now();
    for (;; await sleep(100)) {
      const absent = await listOffline(
        this.#cluster.machines,
        this.#people[0]!,
        this.#roomIds[0]!,
      );
      const took = Date.now() - startedAt;
      if (absent.length === 0) {
        return this.#slowest("slowest agreement on who is online (ms)", took);
      }
      if (took > PRESENCE_LIMIT_MS) {
        return this.#history.violate(
          "all machines show who is online",
          `offline: ${absent.join("; ")}`,
        );
      }
    }
  }

  #slowest(name: string, ms: number): void {
    const { counts } = this.#history;
    counts.set(name, Math.max(counts.get(name) ?? 0, ms));
  }

  #carryOver(rooms: readonly StoredRoom[]): void {
    for (const { roomId, lastSeq } of rooms) {
      this.#checkedThrough.set(roomId, lastSeq);
    }
    this.#history.forgetChecked(CARRIED_OVER);
    const kept = new Set(this.#history.sent.map(keyOf));
    this.#carried = rooms.flatMap((room) => [
      ...room.earlier ?? [],
      ...room.messages,
    ]).filter((message) =>
      kept.has(keyOf({ ...message, userId: message.sender.id }))
    );
    for (const client of this.#clients) client.forgetSeen();
  }
}
