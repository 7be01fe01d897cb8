/** Why an event is refused. Constants only: the browser bundles what it uses of them. */

import {
  CHANGE_WINDOW_MS,
  MAX_CHANGES_PER_WINDOW,
  MAX_PINS,
  MAX_REACTION_EMOJI,
} from "./limits.ts";

/** Sending the same event again is refused again. */
export const PERMANENT_REFUSALS = [
  "bad_request",
  "unknown_event",
  "not_a_member",
  "room_not_found",
  "forbidden",
  "message_not_found",
  "message_deleted",
  "edit_conflict",
  "reaction_limit",
  "pin_limit",
] as const;

/** Sending the same event again later may succeed. */
export const TEMPORARY_REFUSALS = [
  "muted",
  "too_many_requests",
  "unavailable",
  "internal",
] as const;

/** Codes of refused client events, as they stand in an ack or in an `error` event. */
export type RefusalCode =
  | typeof PERMANENT_REFUSALS[number]
  | typeof TEMPORARY_REFUSALS[number];

/** `text`: what the client reads when the handler says nothing more. `meaning`: for the documentation. */
export const REFUSALS: Readonly<
  Record<RefusalCode, { readonly text: string; readonly meaning: string }>
> = {
  bad_request: {
    text: "The frame is not a valid event.",
    meaning: "The frame or its data do not fit the event's schema.",
  },
  unknown_event: {
    text: "There is no such event.",
    meaning: "The protocol has no client event of this name.",
  },
  not_a_member: {
    text: "You are not a member of this room.",
    meaning:
      "The user is no member of the room, or this connection is not subscribed to it.",
  },
  room_not_found: {
    text: "There is no such room.",
    meaning: "No room has this id.",
  },
  forbidden: {
    text: "You may not do this here.",
    meaning: "The message is another user's, or only moderators may do it.",
  },
  message_not_found: {
    text: "There is no such message.",
    meaning: "The room has no message with this id.",
  },
  message_deleted: {
    text: "The message was deleted.",
    meaning: "A deleted message cannot be changed.",
  },
  edit_conflict: {
    text: "The message was edited meanwhile.",
    meaning:
      "The text was changed after `baseRev`; `message` is its present state.",
  },
  reaction_limit: {
    text: "The message has as many different reactions as it may have.",
    meaning: `A message has at most ${MAX_REACTION_EMOJI} different emoji.`,
  },
  pin_limit: {
    text: "The room has as many pinned messages as it may have.",
    meaning: `A room has at most ${MAX_PINS} pinned messages.`,
  },
  too_many_requests: {
    text: "You are changing too much at once. Try again shortly.",
    meaning:
      `The user has changed messages of this room ${MAX_CHANGES_PER_WINDOW} times within ${
        CHANGE_WINDOW_MS / 1000
      } s.`,
  },
  muted: {
    text: "You are sending too fast.",
    meaning:
      "The user sent too many messages to this room and may send again at `mutedUntil`.",
  },
  unavailable: {
    text: "This cannot be done right now. Try again.",
    meaning: "The database is away or the server restarts.",
  },
  internal: {
    text: "Something went wrong on the server.",
    meaning:
      "A fault in the server; `error` ends with an id that is in its log.",
  },
};

/** Whether the same event may succeed later. */
export function isRetryable(code: RefusalCode): boolean {
  return (TEMPORARY_REFUSALS as readonly RefusalCode[]).includes(code);
}
