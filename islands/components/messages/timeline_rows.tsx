/** What stands in a room's timeline: messages, sent and on their way, and the lines between them. */

import type { Message } from "../../../realtime/protocol/protocol.ts";
import type { RoomState } from "../../client/rooms/room_state.ts";
import type { TimelineItem } from "../../text/timeline_items.ts";
import { relativeDay } from "../../text/times.ts";
import { Icon } from "../icon.tsx";
import { Later, withExtras } from "../later.tsx";
import { MessageRow } from "./message_row.tsx";
import type { ScrolledTimeline, Ui } from "../ui.ts";

const NOTICES = {
  join: "joined",
  leave: "left",
  reset: "reloaded",
} as const;

/** Draws what stands above the messages: the way to older ones, the beginning, or what is amiss. */
export function timelineHead(view: ScrolledTimeline) {
  const { room, ui } = view;
  const { t } = ui;
  const { hasOlder, messages } = room.store;
  return (
    <>
      {!room.isLoaded
        ? room.isLoading && <p class="skeleton">{t("loading")}</p>
        : view.shown[0] > 0 || hasOlder
        ? (
          <button
            type="button"
            class="older"
            aria-busy={`${room.isLoading}`}
            onClick={() => withExtras(ui, ({ showOlder }) => showOlder(view))}
          >
            {t(room.isLoading ? "loading" : "loadOlder")}
          </button>
        )
        : messages.length > 0 &&
          <p class="beginning">{t("beginning", { name: room.room.name })}</p>}
      {room.loadError && (
        <Later ui={ui}>{({ LoadError }) => <LoadError view={view} />}</Later>
      )}
    </>
  );
}

/**
 * Draws an item under a key of its own.
 *
 * @param jumpToUnread what the button at the "new" line does; there is none without
 */
export function timelineRow(
  item: TimelineItem,
  room: RoomState,
  ui: Ui,
  jumpToUnread: (() => void) | undefined,
) {
  const { t } = ui;
  switch (item.kind) {
    case "day": {
      const today = ui.today.value;
      const relative = relativeDay(item.day, today);
      return (
        <p class="day" key={item.day}>
          <time dateTime={item.day}>
            {relative
              ? t(relative)
              : ui.times.value.dayName(item.at, Date.parse(today))}
          </time>
        </p>
      );
    }
    case "new":
      return (
        <p class="new-line" key="new">
          <span>{t("newMessages")}</span>
          {jumpToUnread && (
            <button type="button" class="jump fresh" onClick={jumpToUnread}>
              <Icon name="arrowUp" />
              {t("jumpToUnread")}
            </button>
          )}
        </p>
      );
    case "notice": {
      const { type, user, createdAt } = item.notice;
      const text = t(NOTICES[type], { name: user.username });
      return <p class="notice" key={`${createdAt}${user.id}`}>{text}</p>;
    }
    case "message":
      return messageRow(item.message, item.isFirst, room, ui);
  }
}

function messageRow(
  message: Message,
  isFirst: boolean,
  room: RoomState,
  ui: Ui,
) {
  const { sender, clientMsgId, messageId } = message;
  const isOwn = sender.id === ui.client.user.id;
  return (
    <MessageRow
      key={isOwn ? clientMsgId : messageId}
      status={messageId ? undefined : statusOf(clientMsgId, room, ui)}
      {...{ message, isOwn, isFirst, ui }}
    />
  );
}

function statusOf(clientMsgId: string, room: RoomState, { client }: Ui) {
  const entry = client.outbox.get(clientMsgId);
  if (!entry || entry.isSent) return undefined;
  if (entry.failed) return "failed";
  const isSending = client.connection.isLive &&
    room.mutedUntil <= client.clock.now();
  return isSending ? "sending" : "queued";
}

/** What is in the outbox and not among `messages`, as messages that have no id yet. */
export function pendingMessages(
  { room }: RoomState,
  { client }: Ui,
  messages: readonly Message[],
): Message[] {
  const known = new Set(messages.map(({ clientMsgId }) => clientMsgId));
  return client.outbox.entries(room.id)
    .filter(({ clientMsgId }) => !known.has(clientMsgId))
    .map(({ clientMsgId, roomId, text, queuedAt, replyTo }) => {
      const createdAt = new Date(queuedAt).toISOString();
      const last = messages.at(-1)?.createdAt ?? "";
      return {
        messageId: "",
        roomId,
        seq: Infinity,
        text,
        // Our clock may be behind the server's: what was written last still stands last.
        createdAt: createdAt > last ? createdAt : last,
        clientMsgId,
        sender: client.user,
        ...(replyTo && { replyTo }),
      };
    });
}
