import { effect } from "@preact/signals";
import { h } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { ChatClient } from "../client/chat_client.ts";
import type { ChatPageProps } from "../page_props.ts";
import { ConnectionBar } from "./connection/connection_bar.tsx";
import { createUi } from "./create_ui.ts";
import { Later, withExtras } from "./later.tsx";
import { RoomPane } from "./rooms/room_pane.tsx";
import { type ServedParts, Sidebar } from "./sidebar.tsx";
import type { Extras, Surroundings } from "./ui.ts";

/** The whole chat. Drawn once on the server and from then on in the browser. */
export function ChatApp(
  { client, page, extras, served, surroundings, onAlive }: {
    client: ChatClient;
    page: ChatPageProps;
    /** What is not needed to show a room. */
    extras: Extras;
    /** Given on the server only. */
    served?: ServedParts | undefined;
    surroundings: Surroundings;
    /** Called once the page has come to life. */
    onAlive?: (() => void) | undefined;
  },
) {
  const ui = useMemo(
    () => createUi({ client, page, extras, surroundings }),
    [],
  );
  const { t } = ui;
  useEffect(() => {
    ui.isHydrated.value = true;
    onAlive?.();
    addEventListener("popstate", () => {
      ui.path.value = location.pathname;
    });
    addEventListener("keydown", (event) => {
      if (!isShortcut(event)) return;
      // At once: after the code has come it is too late to keep the browser from its own answer.
      event.preventDefault();
      withExtras(ui, ({ runShortcut }) => runShortcut(event, ui));
    });
    effect(() => {
      const path = ui.path.value;
      const title = client.rooms.get(roomIdOf(path))?.room.name ??
        t(path === "/discover" ? "discover" : "rooms");
      const { unread } = client;
      withExtras(ui, ({ announce }) => announce(title, unread));
    });
  }, []);

  const path = ui.path.value;
  const roomId = roomIdOf(path);
  const room = client.rooms.get(roomId);
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    const from = before.current;
    before.current = path;
    if (from === undefined) return;
    withExtras(ui, ({ placeFocus }) => placeFocus(path, from));
  }, [path, room]);
  const dialog = ui.dialog.value;
  return (
    <main
      class="app"
      data-pane={path === "/" ? "list" : "main"}
      onClick={(event) => followLink(event, ui.navigate)}
    >
      {room && <a class="skip" href="#messages">{t("skipToMessages")}</a>}
      <ConnectionBar ui={ui} />
      <Sidebar ui={ui} more={page.moreRooms} served={served} />
      {room
        ? <RoomPane ui={ui} key={roomId} room={room} page={page} />
        : (
          <Later ui={ui}>
            {({ Lobby, OtherRoom }) =>
              roomId !== ""
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
      {dialog && (
        <Later ui={ui}>
          {({ DIALOGS }) =>
            h(DIALOGS[dialog], {
              ui,
              onClose: () => {
                ui.dialog.value = undefined;
              },
            })}
        </Later>
      )}
    </main>
  );
}

/** The room of a path; empty when it has none. */
function roomIdOf(path: string): string {
  return /^\/rooms\/([^/]+)$/.exec(path)?.[1] ?? "";
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

/** Whether a key means something to the page; what it means `shortcuts.ts` knows, which is fetched then. */
function isShortcut(
  { key, altKey, ctrlKey, metaKey, target }: KeyboardEvent,
): boolean {
  return ctrlKey || metaKey
    ? /^k$/i.test(key)
    : altKey
    ? /^Arrow(Up|Down)$/.test(key)
    : key === "?" && !(target as Element).matches?.("input,textarea");
}
