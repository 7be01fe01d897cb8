import { useEffect, useRef } from "preact/hooks";
import type { RoomState } from "../../client/rooms/room_state.ts";
import type { ChatPageProps } from "../../page_props.ts";
import { Avatar } from "../avatar.tsx";
import { BackLink } from "../back_link.tsx";
import { Composer } from "../messages/composer.tsx";
import { Icon } from "../icon.tsx";
import { Later } from "../later.tsx";
import { MembersPanel } from "../membership/members_panel.tsx";
import { Timeline, type TimelineHandle } from "../messages/timeline.tsx";
import type { Ui } from "../ui.ts";

/** A room the user is in: its head, its messages, the box to write in, its members. */
export function RoomPane(
  { ui, room, page }: { ui: Ui; room: RoomState; page: ChatPageProps },
) {
  const { client, t } = ui;
  const timeline = useRef<TimelineHandle>(null);
  useEffect(() => {
    client.rooms.open(room);
    return () => client.rooms.close(room);
  }, [room]);
  const { name, memberCount } = room.room;
  const { onlineCount } = room.roster ?? {};
  return (
    <>
      <section class="main room">
        <header class="room-header">
          <BackLink ui={ui} />
          <Avatar name={name} shape="room" />
          <div class="room-title">
            <h1 dir="auto">{name}</h1>
            <p>
              {t("memberCount", { n: room.roster?.memberCount ?? memberCount })}
              {onlineCount !== undefined && (
                <>{" · "}{t("onlineCount", { n: onlineCount })}</>
              )}
            </p>
          </div>
          <button
            type="button"
            class="icon-button members-toggle"
            aria-label={t("members")}
            popovertarget="members"
          >
            <Icon name="people" />
          </button>
        </header>
        <Timeline key={room.room.id} handle={timeline} room={room} ui={ui} />
        {ui.menu.value && (
          <Later ui={ui}>
            {({ MessageMenu }) => <MessageMenu ui={ui} state={room} />}
          </Later>
        )}
        <Composer
          ui={ui}
          key={room.room.id}
          state={room}
          page={page}
          onSent={() => timeline.current?.jumpToEnd()}
        />
      </section>
      <MembersPanel ui={ui} room={room} />
    </>
  );
}
