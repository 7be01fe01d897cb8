import { h } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { localTimeZone } from "../client/browser.ts";
import type { ChatClient } from "../client/chat_client.ts";
import type { ChatPageProps } from "../page_props.ts";
import type { DialogName } from "../shortcuts.ts";
import { createTimes } from "../text/times.ts";
import { createTranslate } from "../text/translate.ts";
import { ConnectionBar } from "./connection_bar.tsx";
import { type Extras, Later, withExtras } from "./later.tsx";
import { RoomPane } from "./room_pane.tsx";
import { type ServedParts, Sidebar } from "./sidebar.tsx";
import type { Ui } from "./ui.ts";

/** What the page can do and the components cannot. */
export interface PageControls {
  /** Calls back when something changed and it is time to draw. Returns how to end that. */
  onDraw: (draw: () => void) => () => void;
  /** What is to be said although the connection is well: key of the text. */
  note: () => "outdated" | "fallback" | false;
}

/** The whole chat. Drawn once on the server and from then on in the browser. */
export function ChatApp(
  { client, page, extras, served, controls }: {
    client: ChatClient;
    page: ChatPageProps;
    /** What is not needed to show a room. */
    extras: Extras;
    /** Given on the server only. */
    served?: ServedParts | undefined;
    controls?: PageControls | undefined;
  },
) {
  const [path, setPath] = useState(page.path);
  const [isHydrated, setHydrated] = useState(false);
  const [dialog, setDialog] = useState<DialogName>();
  const [, draw] = useState(0);
  const ui: Ui = useMemo(() => {
    const timeZone = isHydrated ? localTimeZone() : page.timeZone;
    return {
      client,
      extras,
      isHydrated,
      t: createTranslate(page.strings, page.locale),
      times: createTimes(page.locale, timeZone),
      navigate(to) {
        if (to === location.pathname) return;
        history.pushState(null, "", to);
        // What is shown next takes the focus. Otherwise it stays with who is writing.
        (document.activeElement as HTMLElement | null)?.blur();
        setPath(to);
      },
    };
  }, [isHydrated]);
  const { t, navigate } = ui;

  useEffect(() => {
    setHydrated(true);
    const onPopState = () => setPath(location.pathname);
    addEventListener("popstate", onPopState);
    return () => removeEventListener("popstate", onPopState);
  }, []);
  useEffect(() => {
    if (isHydrated) return controls?.onDraw(() => draw((drawn) => drawn + 1));
  }, [isHydrated]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!isShortcut(event)) return;
      // At once: after the code has come it is too late to keep the browser from its own answer.
      event.preventDefault();
      withExtras(
        ui,
        ({ runShortcut }) => runShortcut(event, ui, path, setDialog),
      );
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [path]);

  const roomId = /^\/rooms\/([^/]+)$/.exec(path)?.[1];
  const room = roomId === undefined ? undefined : client.rooms.get(roomId);
  const shown = useRef(path);
  useEffect(() => {
    const from = shown.current;
    shown.current = path;
    if (isHydrated) withExtras(ui, ({ placeFocus }) => placeFocus(path, from));
  }, [path, room]);
  useEffect(() => {
    const title = room?.room.name ??
      t(path === "/discover" ? "discover" : "rooms");
    withExtras(ui, ({ announce }) => announce(title, client.unread));
  });
  return (
    <main
      class="app"
      data-pane={path === "/" ? "list" : "main"}
      onClick={(event) => followLink(event, navigate)}
    >
      {room && <a class="skip" href="#messages">{t("skipToMessages")}</a>}
      <ConnectionBar ui={ui} controls={controls} />
      <Sidebar
        ui={ui}
        path={path}
        more={page.moreRooms}
        served={served}
        onSwitch={() => setDialog("switcher")}
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
      {dialog && (
        <Later ui={ui}>
          {({ DIALOGS }) =>
            h(DIALOGS[dialog], { ui, onClose: () => setDialog(undefined) })}
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
