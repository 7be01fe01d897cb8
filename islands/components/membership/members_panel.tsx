import { useState } from "preact/hooks";
import type { RoomState } from "../../client/rooms/room_state.ts";
import { Avatar } from "../avatar.tsx";
import { Icon } from "../icon.tsx";
import { Later } from "../later.tsx";
import type { Ui } from "../ui.ts";

/**
 * Who is in the room, and the way out of it. Where there is no room beside the messages the browser shows
 * it over them, closes it with Escape or a tap elsewhere and gives the focus back.
 */
export function MembersPanel({ ui, room }: { ui: Ui; room: RoomState }) {
  const { client, t } = ui;
  const { users = [], onlineCount = 0, memberCount = room.room.memberCount } =
    room.roster ?? {};
  const isStale = !client.connection.isLive;
  return (
    <section
      id="members"
      aria-label={t("members")}
      class={`members ${isStale ? "stale" : ""}`}
      popover="auto"
    >
      <header>
        <h2>{t("members")}</h2>
        <p>
          {t("memberCount", { n: memberCount })} ·{" "}
          {t("onlineCount", { n: onlineCount })}
        </p>
        <button
          type="button"
          class="icon-button close"
          aria-label={t("close")}
          popovertarget="members"
          popovertargetaction="hide"
        >
          <Icon name="close" />
        </button>
      </header>
      <ul aria-label={t("members")}>
        {users.map(({ id, username, status }) => (
          <li key={id} class={status}>
            <Avatar name={username} />
            <span class="name" dir="auto">{username}</span>
            {id === client.user.id && <span class="you">{t("you")}</span>}
            <span class="visually-hidden">{t(status)}</span>
          </li>
        ))}
        {memberCount > users.length && users.length > 0 && (
          <Later ui={ui}>
            {({ MoreMembers }) => <MoreMembers ui={ui} room={room} />}
          </Later>
        )}
      </ul>
      <LeaveRoom ui={ui} room={room} />
    </section>
  );
}

function LeaveRoom({ ui, room }: { ui: Ui; room: RoomState }) {
  const { client, t } = ui;
  const [isAsking, setAsking] = useState(false);
  return (
    <form
      class="leave"
      method="post"
      action={`/rooms/${room.room.id}/leave?user=${client.user.id}`}
      onSubmit={(event) => {
        event.preventDefault();
        setAsking(true);
      }}
    >
      <button type="submit" class="quiet">
        <Icon name="leave" />
        {t("leaveRoom")}
      </button>
      {isAsking && (
        <Later ui={ui}>
          {({ LeaveDialog }) => (
            <LeaveDialog
              ui={ui}
              room={room.room}
              onClose={() => setAsking(false)}
            />
          )}
        </Later>
      )}
    </form>
  );
}
