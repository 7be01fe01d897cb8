/** What one process publishes to the others, checked when it comes: Redis may hold what we did not write. */

import { z } from "zod";
import { Message } from "../protocol/messages.ts";
import { SERVER_EVENTS, type ServerEvent } from "../protocol/protocol.ts";
import { RoomId, Seq, UserRef } from "../protocol/shapes.ts";

/** A time as a process writes it. */
const Moment = z.iso.datetime();

/** An event for clients. */
const Event = z.object({ event: z.string(), data: z.unknown() })
  .transform(({ event, data }, context): ServerEvent => {
    const definition = Object.hasOwn(SERVER_EVENTS, event)
      ? SERVER_EVENTS[event as keyof typeof SERVER_EVENTS]
      : undefined;
    if (definition?.data.safeParse(data).success) {
      return { event, data } as ServerEvent;
    }
    context.addIssue({ code: "custom", message: `${event} is no event` });
    return z.NEVER;
  });

const RoomSystemEvent = z.object({
  event: z.literal("room:system"),
  data: SERVER_EVENTS["room:system"].data,
});
export type RoomSystemEvent = z.infer<typeof RoomSystemEvent>;

const TypingChange = z.object({ user: UserRef, isTyping: z.boolean() });
export type TypingChange = z.infer<typeof TypingChange>;

const MembershipChange = z.object({
  user: UserRef,
  roomId: RoomId,
  isMember: z.boolean(),
  /** When it was changed, ISO 8601. */
  at: Moment,
  /** Whether the room's subscribers have been sent a line about it. */
  isAnnounced: z.boolean(),
});
export type MembershipChange = z.infer<typeof MembershipChange>;

const Ids = z.array(z.string()).readonly();

const PresenceChanges = z.object({ online: Ids, offline: Ids });
export type PresenceChanges = z.infer<typeof PresenceChanges>;

const ForwardedFrame = z.object({
  id: z.string(),
  /** The process that waits for the answer. */
  from: z.string(),
  connectionId: z.string(),
  userId: z.string(),
  text: z.string(),
});
export type ForwardedFrame = z.infer<typeof ForwardedFrame>;

const FrameResult = z.union([
  z.literal("not_found"),
  z.object({ answer: z.string().optional() }),
]);
export type FrameResult = z.infer<typeof FrameResult>;

const kind = <K extends string>(name: K) => z.literal(name);

export const Signal = z.discriminatedUnion("kind", [
  /** Messages of a room, committed, in order of `seq`. */
  z.object({
    kind: kind("messages"),
    roomId: RoomId,
    messages: z.array(Message).readonly(),
  }),
  /** Messages of a room were changed, up to this `rev`: who wants to know reads them. */
  z.object({ kind: kind("changes"), roomId: RoomId, rev: Seq }),
  /** A user has joined or left a room: for its subscribers. */
  z.object({ kind: kind("announcement"), event: RoomSystemEvent }),
  /** Typing marks of a room that were set or ended. */
  z.object({
    kind: kind("typing"),
    roomId: RoomId,
    changes: z.array(TypingChange).readonly(),
  }),
  /** A membership has begun or ended. */
  z.object({ kind: kind("membership"), change: MembershipChange }),
  /** An event for all sockets of a user. */
  z.object({ kind: kind("event"), userId: z.string(), event: Event }),
  /** Sessions of a user have ended; all of them, when none is named. */
  z.object({
    kind: kind("sign_out"),
    userId: z.string(),
    sessionIds: Ids.exactOptional(),
  }),
  /** Users of one process that came online or went offline since its last number. */
  z.object({
    kind: kind("presence"),
    from: z.string(),
    number: Seq,
    changes: PresenceChanges,
  }),
  /** A process is alive and has published everything up to this number. */
  z.object({ kind: kind("alive"), from: z.string(), number: Seq }),
  /** A process has started and asks the others for their state. */
  z.object({ kind: kind("hello") }),
  /** A process ends. */
  z.object({ kind: kind("goodbye"), from: z.string() }),
  /** A frame that was posted here for an event stream that is open elsewhere. */
  z.object({ kind: kind("frame"), frame: ForwardedFrame }),
  /** The answer to it. */
  z.object({ kind: kind("frame_answer"), id: z.string(), result: FrameResult }),
]);

export type Signal = z.infer<typeof Signal>;

/**
 * A signal from its text.
 *
 * @returns undefined for a kind that only a newer version knows
 * @throws when it is no signal
 */
export function parseSignal(text: string): Signal | undefined {
  const data: unknown = JSON.parse(text);
  const known = Signal.safeParse(data);
  if (known.success) return known.data;
  const { kind } = z.object({ kind: z.string() }).parse(data);
  if (KINDS.has(kind)) throw known.error;
  return undefined;
}

const KINDS: ReadonlySet<string> = new Set(
  Signal.options.map(({ shape }) => shape.kind.value),
);
