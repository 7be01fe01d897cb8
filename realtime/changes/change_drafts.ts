/** Rooms and messages while changes are applied to them, and what is to be written in the end. */

import type {
  ChangeTarget,
  ChangeWrites,
  MessageChange,
  TargetMessage,
} from "../../db/changes.ts";

/** A room while the changes are applied. */
export interface RoomDraft {
  readonly before: number;
  lastRev: number;
  pinCount: number;
}

/** A message while the changes are applied. */
export interface MessageDraft {
  readonly stored: TargetMessage;
  readonly key: { readonly roomId: string; readonly messageId: string };
  rev: number;
  text: string;
  textRev: number;
  /** Texts it had, with the time of the one that is stored; the others were never seen for long. */
  versions: { number: number; text: string; at: Date }[];
  deletedBy: "author" | "moderator" | undefined;
  /** Who pinned it and by which change; undefined: it is not pinned. */
  pin: { userId: string; rev: number } | undefined;
  /** The emoji it has, once a reaction is about it. */
  emoji: Map<string, { count: number; firstRev: number }> | undefined;
  /** The reactions that were named, by emoji and user. */
  readonly reactions: Map<string, ReactionDraft>;
}

interface ReactionDraft {
  readonly emoji: string;
  readonly userId: string;
  readonly isStored: boolean;
  isOn: boolean;
  rev: number;
  firstRev: number;
}

/** The room of a change, as the changes before it have left it. */
export function roomDraft(
  rooms: Map<string, RoomDraft>,
  { roomId, kind }: MessageChange,
  { room }: ChangeTarget,
): RoomDraft {
  const { lastRev, pinCount } = room!;
  let draft = rooms.get(roomId);
  if (draft === undefined) {
    rooms.set(roomId, draft = { before: lastRev, lastRev, pinCount: NaN });
  }
  // Pins are counted only where one is to be set.
  if (kind === "pin" && Number.isNaN(draft.pinCount)) draft.pinCount = pinCount;
  return draft;
}

/** The message of a change, as the changes before it have left it. */
export function messageDraft(
  messages: Map<string, MessageDraft>,
  { roomId, messageId }: MessageChange,
  { message }: ChangeTarget,
): MessageDraft {
  const stored = message!;
  let draft = messages.get(messageId);
  if (draft === undefined) {
    draft = {
      stored,
      key: { roomId, messageId },
      rev: stored.rev,
      text: stored.text,
      textRev: stored.textRev,
      versions: [],
      deletedBy: undefined,
      pin: stored.isPinned ? { userId: "", rev: 0 } : undefined,
      emoji: undefined,
      reactions: new Map(),
    };
    messages.set(messageId, draft);
  }
  return draft;
}

/** The least that brings what is stored to where the drafts are. */
export function writesOf(
  rooms: ReadonlyMap<string, RoomDraft>,
  messages: ReadonlyMap<string, MessageDraft>,
): ChangeWrites {
  const changed = [...messages.values()].filter(({ rev, stored }) =>
    rev > stored.rev
  );
  const alive = changed.filter(({ deletedBy }) => deletedBy === undefined);
  const reactions = alive.flatMap(({ key: { messageId }, reactions }) =>
    [...reactions.values()].map((reaction) => ({ messageId, ...reaction }))
  );
  return {
    rooms: [...rooms].filter(([, { before, lastRev }]) => lastRev > before)
      .map(([roomId, { lastRev }]) => ({ roomId, lastRev })),
    messages: changed.map(({ key: { roomId }, stored: { seq }, rev }) => ({
      roomId,
      seq,
      rev,
    })),
    texts: alive.filter(({ versions }) => versions.length > 0).map((
      { key: { messageId }, text, textRev: rev },
    ) => ({ messageId, text, rev })),
    versions: alive.flatMap(({ key: { messageId }, versions }) =>
      versions.map((version) => ({ messageId, ...version }))
    ),
    deletions: changed.flatMap(({ key: { messageId }, deletedBy: by }) =>
      by === undefined ? [] : [{ messageId, by }]
    ),
    reactions: reactions.filter(({ isOn, isStored }) => isOn && !isStored),
    withdrawn: reactions.filter(({ isOn, isStored }) => !isOn && isStored),
    pins: alive.flatMap(({ key, pin, stored }) =>
      pin !== undefined && !stored.isPinned ? [{ ...key, ...pin }] : []
    ),
    unpinned: changed.filter(({ pin, stored, deletedBy }) =>
      stored.isPinned && (pin === undefined || deletedBy !== undefined)
    ).map(({ key: { messageId } }) => ({ messageId })),
  };
}
