import type { ComponentChild } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ChatClient } from "../client/chat_client.ts";
import type { Wire } from "../client/fallback_transport.ts";
import type { ChatPageProps } from "../page_props.ts";
import { createTimes } from "../text/times.ts";
import { createTranslate } from "../text/translate.ts";
import { ConnectionBar } from "./connection_bar.tsx";
import { type Extras, Later } from "./later.tsx";
import { RoomPane } from "./room_pane.tsx";
import { Sidebar } from "./sidebar.tsx";
import type { Ui } from "./ui.ts";

/** What the page can do and the components cannot. */
export interface PageControls {
  /** Calls back when something changed and it is time to draw. Returns how to end that. */
  onDraw: (draw: () => void) => () => void;
  /** The wire of the connection. */
  wire: () => Wire;
  /** Shows unread messages outside of the page: title and icon. */
  announce: (title: string, unread: number) => void;
}

/** The whole chat. Drawn once on the server and from then on in the browser. */
export function ChatApp(
  { client, page, extras, menu, controls }: {
    client: ChatClient;
    page: ChatPageProps;
    /** What is not needed to show a room. */
    extras: Extras;
    /** The account's menu, given on the server only. */
    menu?: ComponentChild;
    controls?: PageControls | undefined;
  },
) {
  const [path, setPath] = useState(page.path);
  const [isHydrated, setHydrated] = useState(false);
  const [isSwitching, setSwitching] = useState(false);
  const [, draw] = useState(0);
  const ui: Ui = useMemo(() => {
    const { timeZone } = isHydrated
      ? Intl.DateTimeFormat().resolvedOptions()
      : page;
    return {
      client,
      extras,
      isHydrated,
      t: createTranslate(page.strings, page.locale),
      times: createTimes(page.locale, timeZone),
      navigate(to) {
        if (to === location.pathname) return;
        history.pushState(null, "", to);
        setPath(to);
      },
    };
  }, [isHydrated]);
  const { t, navigate } = ui;

  useEffect(() => {
    setHydrated(true);
    const onPopState = () => setPath(location.pathname);
    addEventListener("popstate", onPopState);
    const endDrawing = controls?.onDraw(() => draw((drawn) => drawn + 1));
    return () => {
      removeEventListener("popstate", onPopState);
      endDrawing?.();
    };
  }, []);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setSwitching(true);
      } else if (
        event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")
      ) {
        event.preventDefault();
        navigate(
          neighbour(
            client,
            path,
            event.key === "ArrowDown" ? 1 : -1,
            event.shiftKey,
          ),
        );
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [path]);

  const roomId = /^\/rooms\/([^/]+)$/.exec(path)?.[1];
  const room = roomId === undefined ? undefined : client.rooms.get(roomId);
  useEffect(() => {
    const title = room?.room.name ??
      t(path === "/discover" ? "discover" : "rooms");
    controls?.announce(title, client.unread);
  });
  return (
    <main
      class="app"
      data-pane={path === "/" ? "list" : "main"}
      onClick={(event) => followLink(event, navigate)}
    >
      {room && <a class="skip" href="#messages">{t("skipToMessages")}</a>}
      <ConnectionBar ui={ui} wire={controls?.wire()} />
      <Sidebar
        ui={ui}
        path={path}
        problem={room ? undefined : page.problem}
        menu={menu}
        onSwitch={() => setSwitching(true)}
      />
      {room
        ? <RoomPane ui={ui} key={roomId} room={room} page={page} />
        : (
          <Later ui={ui}>
            {({ Lobby, OtherRoom }) =>
              roomId !== undefined
                ? (
                  <OtherRoom
                    ui={ui}
                    key={roomId}
                    id={roomId}
                    known={page.room}
                    isMissing={page.room === undefined && page.path === path}
                  />
                )
                : (
                  <Lobby
                    ui={ui}
                    found={page.found}
                    query={page.query ?? ""}
                    heading={path === "/" ? "h2" : "h1"}
                  />
                )}
          </Later>
        )}
      {isSwitching && (
        <Later ui={ui}>
          {({ RoomSwitcher }) => (
            <RoomSwitcher
              ui={ui}
              onClose={() => setSwitching(false)}
            />
          )}
        </Later>
      )}
    </main>
  );
}

/** Links within the chat need no new page; everything else is left to the browser. */
function followLink(event: MouseEvent, navigate: (path: string) => void): void {
  const { button, metaKey, ctrlKey, shiftKey, altKey, target } = event;
  if (button !== 0 || metaKey || ctrlKey || shiftKey || altKey) return;
  const link = target instanceof Element && target.closest("a[data-chat]");
  if (!link) return;
  event.preventDefault();
  navigate(link.getAttribute("href") ?? "/");
}

/** The path of the room above or below in the list; with `onlyUnread` the next one with news. */
function neighbour(
  client: ChatClient,
  path: string,
  step: 1 | -1,
  onlyUnread: boolean,
): string {
  const rooms = client.rooms.list;
  const count = rooms.length;
  const start = rooms.findIndex(({ room }) => path === `/rooms/${room.id}`);
  for (let moved = 1; moved <= count; moved++) {
    const next = rooms[(start + step * moved + count * 2) % count];
    if (next && (!onlyUnread || next.unread > 0)) {
      return `/rooms/${next.room.id}`;
    }
  }
  return path;
}
