/** What stands in the timeline, in order: messages in groups, day lines, the "new" line, notices. */

import type { Message } from "../../realtime/protocol/protocol.ts";
import type { Notice } from "../client/rooms/room_state.ts";
import type { Times } from "./times.ts";

/** Messages of one author stand in one group while they follow within this time, in milliseconds. */
export const GROUP_WINDOW_MS = 5 * 60_000;

export type TimelineItem =
  | { readonly kind: "day"; readonly day: string; readonly at: string }
  | { readonly kind: "new" }
  | { readonly kind: "notice"; readonly notice: Notice }
  | {
    readonly kind: "message";
    readonly message: Message;
    readonly isFirst: boolean;
  };

/**
 * Puts a run of messages in order for drawing.
 *
 * @param firstUnread `seq` before which the "new" line stands
 */
export function timelineItems(
  messages: readonly Message[],
  { notices, firstUnread, times }: {
    notices: readonly Notice[];
    firstUnread: number | undefined;
    times: Times;
  },
): TimelineItem[] {
  const items: TimelineItem[] = [];
  let day = "";
  let before: Message | undefined;
  const first = messages[0]?.seq ?? 0;
  const due = notices.filter(({ afterSeq }) => afterSeq >= first - 1);
  for (const message of messages) {
    while (due[0] && due[0].afterSeq < message.seq) {
      items.push({ kind: "notice", notice: due.shift() as Notice });
      before = undefined;
    }
    const itsDay = times.day(message.createdAt);
    if (itsDay !== day) {
      items.push({ kind: "day", day: itsDay, at: message.createdAt });
      before = undefined;
    }
    day = itsDay;
    if (message.seq === firstUnread) {
      items.push({ kind: "new" });
      before = undefined;
    }
    items.push({
      kind: "message",
      message,
      isFirst: !continues(before, message),
    });
    before = message;
  }
  for (const notice of due) items.push({ kind: "notice", notice });
  return items;
}

function continues(
  before: Message | undefined,
  message: Message,
): boolean {
  return before !== undefined && before.sender.id === message.sender.id &&
    Date.parse(message.createdAt) - Date.parse(before.createdAt) <=
      GROUP_WINDOW_MS;
}
