/** What clients did and saw in a fault run, written down as it happened. */

import type { Message } from "../../realtime/protocol/protocol.ts";

/** Refusals that no repeat can change: such a message must never be stored. */
export const PERMANENT_REFUSALS: ReadonlySet<string> = new Set([
  "bad_request",
  "unknown_event",
  "not_a_member",
  "room_not_found",
]);

export interface SendAck {
  readonly messageId: string;
  readonly seq: number;
  readonly createdAt: string;
  readonly isDuplicate: boolean;
}

/** One message somebody wanted to send, and every answer that came, on whichever line. */
export interface Sent {
  readonly userId: string;
  readonly roomId: string;
  readonly clientMsgId: string;
  /** As it was given to the client; the server trims it. */
  readonly text: string;
  readonly author: string;
  /** Counts up per author and room for authors that promise to keep their order, else undefined. */
  readonly order: number | undefined;
  /** How often it was put on a wire. */
  frames: number;
  readonly acks: SendAck[];
  /** Codes of refusals. */
  readonly refusals: string[];
  /** Whether its author has seen it among the room's messages: as good as an ack. */
  seen: boolean;
}

/** One client's sight of one room, from where it began to look. */
export interface View {
  readonly client: string;
  readonly roomId: string;
  /** What it holds, in its order. */
  readonly messages: readonly Message[];
  /** Everything up to this `seq` counts as seen by the client. */
  readonly position: number;
  /** Every change up to this `rev` counts as known to the client. */
  readonly rev: number;
  /** Whether it was to be complete at the time of checking: it was connected and all was quiet. */
  readonly mustBeComplete: boolean;
}

/** Violations that are said: one fault may break a promise thousands of times. */
const SHOWN = 10;

/** A promise that was not kept. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** The book all clients of a run write into. */
export class History {
  readonly #say: (line: string) => void;
  readonly #sent = new Map<string, Sent>();
  readonly #newest = new Map<string, number>();
  /** What clients saw to be wrong at the moment it happened. */
  readonly violations: Violation[] = [];
  /** Counted by name, for the report. */
  readonly counts = new Map<string, number>();

  /** @param say takes the first violations at once: a long run may be ended before its report */
  constructor(say: (line: string) => void = () => {}) {
    this.#say = say;
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  violate(rule: string, detail: string): void {
    this.violations.push({ rule, detail });
    if (this.violations.length <= SHOWN) {
      this.#say(`VIOLATED: ${rule}\n  ${detail}`);
    }
  }

  /** Opens the account of a message. Done before its first frame leaves. */
  intend(
    message: Omit<Sent, "frames" | "acks" | "refusals" | "seen">,
  ): Sent {
    const sent: Sent = {
      ...message,
      frames: 0,
      acks: [],
      refusals: [],
      seen: false,
    };
    this.#sent.set(keyOf(message), sent);
    this.count("messages");
    return sent;
  }

  find(
    key: Pick<Sent, "userId" | "roomId" | "clientMsgId">,
  ): Sent | undefined {
    return this.#sent.get(keyOf(key));
  }

  acked(sent: Sent, ack: SendAck): void {
    sent.acks.push(ack);
    this.count(ack.isDuplicate ? "acks of repeats" : "acks");
    this.saw(sent.roomId, ack.seq);
  }

  refused(sent: Sent, code: string): void {
    sent.refusals.push(code);
    this.count(`refused ${code}`);
  }

  /** Somebody has seen that the room has come this far. */
  saw(roomId: string, seq: number): void {
    if (seq > this.newest(roomId)) this.#newest.set(roomId, seq);
  }

  /** The highest `seq` anybody has seen of a room. */
  newest(roomId: string): number {
    return this.#newest.get(roomId) ?? 0;
  }

  get sent(): readonly Sent[] {
    return [...this.#sent.values()];
  }

  /** Closes the accounts that were checked; some acked ones stay, to be repeated and checked again. */
  forgetChecked(keep: number): void {
    const acked = this.sent.filter((sent) => sent.acks.length > 0);
    this.#sent.clear();
    for (const sent of acked.slice(-keep)) this.#sent.set(keyOf(sent), sent);
  }
}

/** Neither acked nor seen nor refused for good: its author must go on trying. */
export function isOpen(sent: Sent): boolean {
  return sent.acks.length === 0 && !sent.seen &&
    !sent.refusals.some((code) => PERMANENT_REFUSALS.has(code));
}

/** The identity of a message: the client id is unique to a user in a room. */
export function keyOf(
  { userId, roomId, clientMsgId }: Pick<
    Sent,
    "userId" | "roomId" | "clientMsgId"
  >,
): string {
  return `${userId} ${roomId} ${clientMsgId}`;
}
