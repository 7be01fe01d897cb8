import type { ComponentChild } from "preact";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icon.tsx";
import { withExtras } from "./later.tsx";
import { Logo } from "./logo.tsx";
import { openSwitcher, RoomList } from "./rooms/room_list.tsx";
import type { Ui } from "./ui.ts";

/** What the server draws and the script leaves as it is: forms that change seldom. */
export interface ServedParts {
  /** The form for a new room. */
  create: ComponentChild;
  /** The account's menu. */
  menu: ComponentChild;
}

interface SidebarProps {
  ui: Ui;
  /** The address of the next rooms, when the page came without them. */
  more: string | undefined;
  /** Given on the server only. */
  served: ServedParts | undefined;
}

/** The user's rooms, the way to more of them, and the user's own corner. */
export function Sidebar({ ui, more, served }: SidebarProps) {
  const { t } = ui;
  const path = ui.path.value;
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
          onClick={() => openSwitcher(ui)}
        >
          <Icon name="search" />
        </button>
      </header>
      <nav class="rooms" aria-label={t("rooms")}>
        <RoomList ui={ui} more={more} />
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

function Account({ ui, menu }: { ui: Ui; menu: ComponentChild }) {
  const { connection, user: { username } } = ui.client;
  return (
    <footer class="account">
      <span class={`me ${connection.isLive ? "live" : ""}`}>
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
