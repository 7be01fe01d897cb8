import { useComputed } from "@preact/signals";
import type { RoomState } from "../../client/rooms/room_state.ts";
import { Avatar } from "../avatar.tsx";
import { Icon } from "../icon.tsx";
import type { Ui } from "../ui.ts";

/** One of the user's rooms in the list, with what waits there. */
export function RoomLink(
  { ui, room, isCurrent }: { ui: Ui; room: RoomState; isCurrent: boolean },
) {
  const { client, t } = ui;
  const { id, name } = room.room;
  // The link is drawn again when there is a draft or none any more, not with every key.
  const hasDraft = useComputed(() => client.drafts.read(id) !== "").value;
  const { unread } = room;
  return (
    <a
      class={unread > 0 ? "room-link unread" : "room-link"}
      href={`/rooms/${id}`}
      data-chat
      aria-current={isCurrent ? "page" : undefined}
    >
      <Avatar name={name} shape="room" />
      <span class="name" dir="auto">{name}</span>
      {ui.isHydrated.value && !isCurrent && hasDraft && (
        <span class="draft">
          <Icon name="draft" />
          <span class="visually-hidden">{t("draft")}</span>
        </span>
      )}
      {unread > 0 && (
        <span class="badge">
          <span aria-hidden="true">{unread > 99 ? "99+" : unread}</span>
          <span class="visually-hidden">
            {t("unreadCount", { n: unread })}
          </span>
        </span>
      )}
    </a>
  );
}
