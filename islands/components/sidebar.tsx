import type { ComponentChild } from "preact";
import type { RoomState } from "../client/room_state.ts";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icon.tsx";
import { withExtras } from "./later.tsx";
import { Logo } from "./logo.tsx";
import type { Ui } from "./ui.ts";

/** What the server draws and the script leaves as it is: forms that change seldom. */
export interface ServedParts {
  /** The form for a new room. */
  create: ComponentChild;
  /** The account's menu. */
  menu: ComponentChild;
}

/** Most rooms in the sidebar. The switcher finds the others. */
const MAX_SHOWN = 100;

interface SidebarProps {
  ui: Ui;
  path: string;
  /** The address of the next rooms, when the page came without them. */
  more: string | undefined;
  /** Given on the server only. */
  served: ServedParts | undefined;
  onSwitch: () => void;
}

/** The user's rooms, the way to more of them, and the user's own corner. */
export function Sidebar({ ui, path, more, served, onSwitch }: SidebarProps) {
  const { client, t } = ui;
  const rooms = client.rooms.list;
  const shown = rooms.slice(0, MAX_SHOWN);
  const open = rooms.find(({ room }) => path === `/rooms/${room.id}`);
  if (open && !shown.includes(open)) shown.splice(-1, 1, open);
  const Title = path === "/" ? "h1" : "p";
  return (
    <div class="sidebar">
      <header class="brand">
        <Title class="wordmark">
          <a href="/" data-chat>
            <Logo />ChatKet
          </a>
        </Title>
        <button
          type="button"
          class="icon-button switch"
          aria-label={t("switchRoom")}
          title={`${t("switchRoom")} (Ctrl K)`}
          onClick={onSwitch}
        >
          <Icon name="search" />
        </button>
      </header>
      <nav class="rooms" aria-label={t("rooms")}>
        {rooms.length === 0 && <p class="empty">{t("noRooms")}</p>}
        <ul>
          {shown.map((room) => (
            <RoomLink
              ui={ui}
              key={room.room.id}
              room={room}
              isCurrent={room === open}
            />
          ))}
        </ul>
        {(more || rooms.length > MAX_SHOWN) && (
          <a
            class="discover-link"
            href={more ?? "/"}
            onClick={(event) => {
              event.preventDefault();
              onSwitch();
            }}
          >
            <Icon name="search" />
            {t("moreRooms")}
          </a>
        )}
        <a
          class="discover-link"
          href="/discover"
          data-chat
          aria-current={path === "/discover" ? "page" : undefined}
        >
          <Icon name="compass" />
          {t("discover")}
        </a>
      </nav>
      <div
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.target as HTMLFormElement;
          withExtras(ui, ({ createRoom }) => createRoom(ui, form));
        }}
      >
        <Served>{served?.create}</Served>
      </div>
      <Account ui={ui} menu={served?.menu} />
    </div>
  );
}

function RoomLink(
  { ui, room, isCurrent }: { ui: Ui; room: RoomState; isCurrent: boolean },
) {
  const { client, t, isHydrated } = ui;
  const { id, name } = room.room;
  const hasDraft = isHydrated && !isCurrent && client.drafts.read(id) !== "";
  const unread = room.unread;
  return (
    <li class={unread > 0 ? "unread" : ""}>
      <a
        class="room-link"
        href={`/rooms/${id}`}
        data-chat
        aria-current={isCurrent ? "page" : undefined}
      >
        <Avatar name={name} shape="room" />
        <span class="name" dir="auto">{name}</span>
        {hasDraft && (
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
    </li>
  );
}

function Account({ ui, menu }: { ui: Ui; menu: ComponentChild }) {
  const { client } = ui;
  const { username } = client.user;
  const isLive = client.connection.state.phase === "live";
  return (
    <footer class="account">
      <span class={`me ${isLive ? "live" : ""}`}>
        <Avatar name={username} />
      </span>
      <b class="name" dir="auto">{username}</b>
      <Served>{menu}</Served>
    </footer>
  );
}

function Served({ children }: { children: ComponentChild }) {
  return children === undefined
    // Taking over the page leaves what the server has put here as it is.
    ? <div class="served" dangerouslySetInnerHTML={{ __html: "" }} />
    : <div class="served">{children}</div>;
}
