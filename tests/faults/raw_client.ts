/**
 * A client of the bare protocol. It keeps many messages in flight, repeats them whenever it is in
 * doubt, and believes the server to the letter: on a line that has been synced to the end every next
 * message must have the next number.
 */

import type {
  Message,
  RoomChanges,
  RoomPosition,
  SyncResult,
} from "../../realtime/protocol/protocol.ts";
import type { Person } from "../helpers/people.ts";
import {
  type History,
  isOpen,
  PERMANENT_REFUSALS,
  type Sent,
  type View,
} from "./history.ts";
import { FaultProxy, type ProxiedLine, type Target } from "./proxy.ts";
import type { Random } from "./random.ts";
import { RawLine } from "./raw_line.ts";
import { RoomSight } from "./room_sight.ts";

/** Wait after a temporary refusal, in milliseconds. */
const RETRY_MS = 250;

/** So many of the newest messages of a room are changed. */
const CHANGEABLE = 20;

/** Messages without an answer at most; further ones wait. */
const MAX_IN_FLIGHT = 25;

export interface RawClientOptions {
  readonly name: string;
  readonly person: Person;
  /** The rooms it is in; the first is the busy one. */
  readonly roomIds: readonly string[];
  /** A room it is no member of. */
  readonly foreignRoomId: string;
  /** Of the server, or what chooses a machine for each connection. */
  readonly serverPort: Target;
  readonly history: History;
  readonly random: Random;
  /** Mean time between two messages, in milliseconds. */
  readonly thinkMs: number;
  /** Whether it remembers times in place of numbers when it comes back. */
  readonly byTime: boolean;
}

export class RawClient {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** Whether a fault has taken hold of this client, so that no second one does. */
  busy = false;
  readonly #options: RawClientOptions;
  readonly #rooms = new Map<string, RoomSight>();
  readonly #open = new Set<Sent>();
  #line: RawLine | undefined;
  readonly #lines = new Set<RawLine>();
  #wanted = false;
  #closed = false;
  #talking = false;
  #thinkTimer: ReturnType<typeof setTimeout> | undefined;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #written = 0;

  private constructor(options: RawClientOptions, proxy: FaultProxy) {
    this.name = options.name;
    this.proxy = proxy;
    this.#options = options;
    for (const roomId of options.roomIds) {
      this.#rooms.set(roomId, new RoomSight());
    }
  }

  static async create(options: RawClientOptions): Promise<RawClient> {
    return new RawClient(options, await FaultProxy.listen(options.serverPort));
  }

  /** Connects and stays connected. */
  connect(): void {
    if (this.#closed) return;
    this.#wanted = true;
    if (this.#line === undefined) this.#openLine();
  }

  /** Ends its line and stays away until {@link connect}. */
  goAway(): void {
    this.#wanted = false;
    clearTimeout(this.#reconnectTimer);
    this.#line?.close();
    this.#line = undefined;
  }

  /**
   * Opens another line although the present one may live; that one is only listened to for acks, and
   * closed after `ms`.
   */
  connectAgain(ms: number): void {
    const old = this.#line;
    if (!this.#wanted || old === undefined) return;
    this.#openLine();
    setTimeout(() => old.close(), ms);
  }

  /** Begins to write messages. */
  startTalking(): void {
    this.#talking = true;
    this.#think();
  }

  /** Writes nothing new; what is open is still repeated. */
  stopTalking(): void {
    this.#talking = false;
    clearTimeout(this.#thinkTimer);
  }

  /** Writes one message, and repeats it until it is answered. */
  write(roomId: string, text = `${this.name} says one thing`): Sent {
    const { history, person } = this.#options;
    const sent = history.intend({
      userId: person.user.id,
      roomId,
      clientMsgId: crypto.randomUUID(),
      text,
      author: this.name,
      order: undefined,
    });
    this.#open.add(sent);
    this.#put(sent);
    return sent;
  }

  /** Asks for the busy room's newest messages again, many times at once, on the line it has. */
  askForMuch(times: number): void {
    const [roomId] = this.#options.roomIds;
    const position = this.#rooms.get(roomId!)!.position;
    for (let asked = 0; asked < times; asked++) {
      this.#line?.sync([{
        roomId: roomId!,
        lastSeq: Math.max(0, position - 100),
      }]);
    }
  }

  /** Connected, synced and without an open message. */
  get isSettled(): boolean {
    return this.#open.size === 0 && this.#line !== undefined &&
      this.#options.roomIds.every((roomId) => this.#line!.isSettled(roomId));
  }

  /** Why it is not settled, for a report. */
  get state(): string {
    return `${this.name}: ${
      this.#line === undefined ? "no line" : this.#line.state
    }, ${this.#open.size} open`;
  }

  position(roomId: string): number {
    return this.#rooms.get(roomId)?.position ?? 0;
  }

  rev(roomId: string): number {
    return this.#rooms.get(roomId)?.rev ?? 0;
  }

  views(): View[] {
    return [...this.#rooms].map(([roomId, room]) => ({
      client: this.name,
      roomId,
      messages: room.messages,
      position: room.position,
      rev: room.rev,
      mustBeComplete: true,
    }));
  }

  /** Lets go of messages that were checked. */
  forgetSeen(): void {
    for (const room of this.#rooms.values()) room.forget();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.stopTalking();
    this.goAway();
    for (const line of this.#lines) line.close();
    await this.proxy.close();
  }

  #openLine(): void {
    const { person, history, roomIds } = this.#options;
    clearTimeout(this.#reconnectTimer);
    history.count("connects");
    const line = new RawLine({
      url: `ws://127.0.0.1:${this.proxy.port}/ws`,
      token: person.token,
      onMessage: (message) => {
        if (line === this.#line) this.#take(line, message);
      },
      onChanges: (changes) => {
        if (line === this.#line) this.#change(line, changes);
      },
      onOpen: () => {
        line.sync(roomIds.map((roomId) => this.#positionOf(roomId)));
      },
      onSynced: (result, asked) => this.#synced(line, result, asked),
      onSyncFailed: (rooms) =>
        setTimeout(() => {
          if (line === this.#line) {
            line.sync(rooms.map(({ roomId }) => this.#positionOf(roomId)));
          }
        }, RETRY_MS),
      onSettled: () => {
        if (line === this.#line) {
          for (const sent of this.#open) this.#put(sent);
        }
      },
      onClosed: (code) => {
        this.#lines.delete(line);
        history.count(`closed ${code || "without a code"}`);
        if (line !== this.#line) return;
        this.#line = undefined;
        if (this.#wanted) this.#reconnectSoon();
      },
    });
    this.#line = line;
    this.#lines.add(line);
  }

  #reconnectSoon(): void {
    this.#reconnectTimer = setTimeout(
      () => this.#openLine(),
      30 + this.#options.random.pause(150),
    );
  }

  #positionOf(roomId: string): RoomPosition {
    const { position, seenAt, rev } = this.#rooms.get(roomId)!;
    return this.#options.byTime && seenAt !== ""
      ? { roomId, lastSeenAt: seenAt, lastRev: rev }
      : { roomId, lastSeq: position, lastRev: rev };
  }

  #take(line: RawLine, message: Message): void {
    const { history, byTime } = this.#options;
    const room = this.#rooms.get(message.roomId);
    if (room === undefined) {
      return history.violate(
        "a client hears only of its rooms",
        `${this.name}: ${JSON.stringify(message)}`,
      );
    }
    history.saw(message.roomId, message.seq);
    history.count("deliveries");
    if (message.seq === room.position + 1) {
      room.append(message);
      return;
    }
    // While a line is being synced the replay and the live feed may overlap; what comes out of turn
    // is not taken, and the sync must bring it.
    if (!line.isSettled(message.roomId)) return;
    if (byTime && message.seq <= room.position) return;
    history.violate(
      message.seq <= room.position
        ? "a synced line repeats nothing"
        : "a synced line leaves nothing out",
      `${this.name} in room ${message.roomId} stands at ${room.position} and got ${message.seq}`,
    );
    line.giveUp();
  }

  #change(line: RawLine, changes: RoomChanges): void {
    const { roomId } = changes;
    this.#options.history.count("frames of changes");
    if (this.#rooms.get(roomId)?.change(changes)) return;
    // Some were sent before this line followed the room, or another process was faster.
    this.#options.history.count("changes that came too early");
    if (line.isSettled(roomId)) line.sync([this.#positionOf(roomId)]);
  }

  #synced(line: RawLine, result: SyncResult, asked: RoomPosition): void {
    if (line !== this.#line) return;
    const { history } = this.#options;
    const { roomId, lastSeq = 0 } = result;
    const room = this.#rooms.get(roomId);
    if (room === undefined) return;
    history.count("recoveries");
    if (!result.synced || result.reset) {
      return history.violate(
        "a member's position is known to the server",
        `${this.name} asked ${JSON.stringify(asked)}: ${
          JSON.stringify(result)
        }`,
      );
    }
    if (room.position < lastSeq) {
      history.violate(
        "a sync delivers before its ack",
        `${this.name} stands at ${room.position}: ${JSON.stringify(result)}`,
      );
      line.giveUp();
      return;
    }
    // Who names no rev is sent no changes.
    if (asked.lastRev !== undefined) {
      room.rev = Math.max(room.rev, result.lastRev ?? 0);
    }
    if (result.hasMore || result.hasMoreChanges) {
      history.count("recoveries of more than one page");
      line.sync([{
        ...{ roomId, lastRev: room.rev },
        lastSeq: Math.max(lastSeq, room.position),
      }]);
    }
  }

  #think(): void {
    const { random, thinkMs } = this.#options;
    this.#thinkTimer = setTimeout(() => {
      if (!this.#talking) return;
      if (this.#open.size < MAX_IN_FLIGHT) this.#writeSomething();
      this.#think();
    }, random.pause(thinkMs));
  }

  #writeSomething(): void {
    const { random, roomIds, foreignRoomId } = this.#options;
    if (random.chance(0.03)) return this.#repeatAcked();
    if (random.chance(0.15)) return this.#changeSomething();
    const number = ++this.#written;
    const fault = random.chance(0.03);
    const roomId = fault && random.chance(0.5)
      ? foreignRoomId
      : random.chance(0.7)
      ? roomIds[0]!
      : random.pick(roomIds);
    const padding = "ä".repeat(random.chance(0.2) ? random.int(0, 400) : 10);
    const sent = this.write(
      roomId,
      fault && roomId !== foreignRoomId
        ? random.pick(["", " \n", "x".repeat(501), "a\0b"])
        : `${this.name} ${number} ${padding} `,
    );
    if (random.chance(0.05)) this.#put(sent);
  }

  /** Edits, deletes, reacts to or pins one of the newest messages; the server decides whether it may. */
  #changeSomething(): void {
    const { random, roomIds, person, history } = this.#options;
    const roomId = random.pick(roomIds);
    const newest = this.#rooms.get(roomId)!.messages.slice(-CHANGEABLE);
    const line = this.#line;
    if (newest.length === 0 || line === undefined) return;
    const own = newest.filter(({ sender }) => sender.id === person.user.id);
    const { messageId } = random.pick(newest);
    const mine = own.length > 0 ? random.pick(own).messageId : messageId;
    const on = random.chance(0.7);
    const settled =
      (name: string) => (answer: Record<string, unknown> | undefined): void => {
        const code = answer?.success === true ? "done" : answer?.code;
        history.count(`${name}: ${code ?? "no answer"}`);
        if (code === "internal") {
          history.violate(
            "no fault is answered as internal or muted",
            `${this.name}: ${JSON.stringify(answer)}`,
          );
        }
      };
    const kind = random.next();
    if (kind < 0.35) {
      const text = `${this.name} edits ${++this.#written}`;
      line.call(
        "message:edit",
        { roomId, messageId: mine, text },
        settled("edit"),
      );
    } else if (kind < 0.5) {
      line.call(
        "message:delete",
        { roomId, messageId: mine },
        settled("delete"),
      );
    } else if (kind < 0.9) {
      const emoji = random.pick(["👍", "🎉", "❤️"]);
      line.call(
        "reaction:set",
        { roomId, messageId, emoji, on },
        settled("reaction"),
      );
    } else line.call("pin:set", { roomId, messageId, on }, settled("pin"));
  }

  /** Sends a message again that has been acked: it must be answered as before. */
  #repeatAcked(): void {
    const { history, random, person } = this.#options;
    const own = history.sent.filter(({ acks, userId }) =>
      acks.length > 0 && userId === person.user.id
    );
    if (own.length > 0) this.#put(random.pick(own));
  }

  /** Puts a message on the line, if there is one; repeats it while it stays open. */
  #put(sent: Sent): void {
    const line = this.#line;
    if (line === undefined || !line.isOpen) return;
    sent.frames++;
    const { roomId, text, clientMsgId } = sent;
    line.call("message:send", { roomId, text, clientMsgId }, (answer) => {
      if (answer !== undefined) this.#answered(sent, answer);
      const wait = answer === undefined ? 0 : RETRY_MS;
      if (this.#open.has(sent)) {
        setTimeout(() => {
          if (this.#open.has(sent) && line === this.#line) this.#put(sent);
        }, wait);
      }
    });
  }

  #answered(sent: Sent, answer: Record<string, unknown>): void {
    const { history } = this.#options;
    if (answer.success === true) {
      const { messageId, seq, createdAt, isDuplicate = false } = answer;
      history.acked(
        sent,
        { messageId, seq, createdAt, isDuplicate } as Sent["acks"][number],
      );
    } else {
      history.refused(sent, String(answer.code));
      if (answer.code === "internal" || answer.code === "muted") {
        history.violate(
          "no fault is answered as internal or muted",
          `${this.name}: ${JSON.stringify(answer)}`,
        );
      }
      if (!PERMANENT_REFUSALS.has(String(answer.code))) return;
    }
    if (!isOpen(sent)) this.#open.delete(sent);
  }

  /** The line through the proxy, for faults. */
  get proxiedLines(): readonly ProxiedLine[] {
    return this.proxy.lines;
  }
}
