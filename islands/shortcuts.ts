/** What the keys of the chat page do. Which keys those are, `chat_app.tsx` and `timeline.tsx` know. */

import type { ChatClient } from "./client/chat_client.ts";
import { RoomSwitcher } from "./components/rooms/room_switcher.tsx";
import { ShortcutList } from "./components/shortcut_list.tsx";
import type { Ui } from "./components/ui.ts";

/** Dialogs that a key opens, by name. */
export const DIALOGS = { switcher: RoomSwitcher, shortcuts: ShortcutList };

/** Carries out a key of the whole page. */
export function runShortcut(
  { key, altKey, shiftKey }: KeyboardEvent,
  { client, navigate, path, dialog }: Ui,
): void {
  // One dialog at a time.
  if (document.querySelector("dialog[open]")) return;
  if (altKey) {
    const step = key === "ArrowDown" ? 1 : -1;
    navigate(neighbour(client, path.value, step, shiftKey));
  } else dialog.value = key === "?" ? "shortcuts" : "switcher";
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

/** Brings the line above the unread messages into view; the focus goes along, as the button that led there goes. */
export function showUnread(log: HTMLElement): void {
  log.querySelector(".new-line")?.scrollIntoView();
  log.focus({ preventScroll: true });
}

/** Moves the focus among the messages of a log: up, down, to the first or the last; Enter opens one's actions. */
export function focusMessage(log: Element, key: string): void {
  if (key === "Enter") {
    log.querySelector<HTMLElement>(".message:focus .more")?.click();
    return;
  }
  const rows = [...log.querySelectorAll<HTMLElement>(".message")];
  const index = rows.findIndex((row) => row === document.activeElement);
  const steps: Record<string, HTMLElement | undefined> = {
    ArrowUp: index < 0 ? rows.at(-1) : rows[index - 1],
    ArrowDown: index < 0 ? undefined : rows[index + 1],
    Home: rows[0],
    End: rows.at(-1),
  };
  steps[key]?.focus();
}
