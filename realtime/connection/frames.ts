/** Server envelopes as text. Encoded once, then given to any number of connections. */

import { Buffer } from "node:buffer";
import type {
  Message,
  RoomChanges,
  ServerEvent,
} from "../protocol/protocol.ts";

/** A frame of a replay, or of changes, ends with the message that brings it to this length, in UTF-16 units. */
const REPLAY_FRAME_LENGTH = 48 * 1024;

/** A frame ready to be sent, with its size in bytes, counted once. */
export interface Frame {
  readonly text: string;
  /** Length in bytes of UTF-8. */
  readonly bytes: number;
}

/** Length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

/** A frame of one envelope. */
export function eventFrame(event: ServerEvent): Frame {
  return textFrame(JSON.stringify(event));
}

/** A frame of one or more messages: a single envelope, or an array of them. */
export function messagesFrame(messages: readonly Message[]): Frame {
  return envelopesFrame(
    messages.map((data) => JSON.stringify({ event: "message:new", data })),
  );
}

/** Messages as one frame, or as several where they are long: a slow line shows progress with each. */
export function replayFrames(messages: readonly Message[]): Frame[] {
  const frames: Frame[] = [];
  let envelopes: string[] = [];
  let length = 0;
  for (const data of messages) {
    const envelope = JSON.stringify({ event: "message:new", data });
    envelopes.push(envelope);
    length += envelope.length;
    if (length < REPLAY_FRAME_LENGTH) continue;
    frames.push(envelopesFrame(envelopes));
    envelopes = [];
    length = 0;
  }
  if (envelopes.length > 0) frames.push(envelopesFrame(envelopes));
  return frames;
}

/** Changes of a room as one frame, or as several where they are long; each goes on where the one before ended. */
export function changeFrames(changes: RoomChanges): Frame[] {
  const frames: Frame[] = [];
  let { prevRev } = changes;
  let messages: Message[] = [];
  let length = 0;
  const end = (rev: number) => {
    const data = { ...changes, prevRev, rev, messages };
    frames.push(eventFrame({ event: "room:changes", data }));
    prevRev = rev;
    messages = [];
    length = 0;
  };
  for (const message of changes.messages) {
    messages.push(message);
    length += JSON.stringify(message).length;
    const isLast = message === changes.messages.at(-1);
    if (length >= REPLAY_FRAME_LENGTH && !isLast) end(message.rev!);
  }
  end(changes.rev);
  return frames;
}

/** A frame of envelopes that are text already: a single one, or an array. At least one. */
export function envelopesFrame(envelopes: readonly string[]): Frame {
  return textFrame(
    envelopes.length === 1 ? envelopes[0]! : `[${envelopes.join(",")}]`,
  );
}

function textFrame(text: string): Frame {
  return { text, bytes: utf8Length(text) };
}
