import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { RoomLink } from "./room_link.tsx";
import type { Ui } from "../ui.ts";

/** Most rooms in the list. The switcher finds the others. */
const MAX_SHOWN = 100;

/** So many rooms are drawn at first, and so many more as one scrolls. */
const STEP = 50;

/** Rooms are drawn so far below the window, in pixels. */
const EDGE_PX = 600;

/** The user's rooms. */
export function RoomList(
  { ui, more }: {
    ui: Ui;
    /** The address of the next rooms, when the page came without them. */
    more: string | undefined;
  },
) {
  const { client, t } = ui;
  const list = useRef<HTMLUListElement>(null);
  const drawn = useSignal(STEP);
  const rooms = client.rooms.list;
  const shown = rooms.slice(0, MAX_SHOWN);
  const open = rooms.find(({ room }) => ui.path.value === `/rooms/${room.id}`);
  if (open && !shown.includes(open)) shown.splice(-1, 1, open);
  const openRow = shown.indexOf(open!) + 1;
  const count = shown.length;
  useEffect(() => {
    // The open room stays in its place when it is left.
    drawn.value = Math.max(drawn.value, openRow);
    if (drawn.value >= count) return;
    const grow = () => {
      const { current } = list;
      if (current === null) return;
      const { top, height } = current.getBoundingClientRect();
      const rowHeight = height / current.childElementCount;
      const seen = (innerHeight + EDGE_PX - top) / rowHeight;
      // Without height where a narrow window shows a room in place of the list.
      if (height > 0 && seen > drawn.value) {
        drawn.value = Math.ceil(seen / STEP) * STEP;
      }
    };
    grow();
    // The list itself scrolls, or in a low window what is around it.
    addEventListener("scroll", grow, { capture: true, passive: true });
    addEventListener("resize", grow);
    return () => {
      removeEventListener("scroll", grow, { capture: true });
      removeEventListener("resize", grow);
    };
  }, [drawn.value, openRow, count]);
  // The first drawing must equal the server's, which draws all of them.
  if (ui.isHydrated.value) shown.splice(Math.max(drawn.value, openRow));
  return (
    <>
      {rooms.length === 0 && <p class="empty">{t("noRooms")}</p>}
      <ul ref={list}>
        {shown.map((room) => (
          <li key={room.room.id}>
            <RoomLink ui={ui} room={room} isCurrent={room === open} />
          </li>
        ))}
      </ul>
      {(more || rooms.length > MAX_SHOWN) && (
        <a
          class="discover-link"
          href={more ?? "/"}
          onClick={(event) => {
            event.preventDefault();
            openSwitcher(ui);
          }}
        >
          <Icon name="search" />
          {t("moreRooms")}
        </a>
      )}
    </>
  );
}

/** Opens the dialog that finds one of the user's rooms. */
export function openSwitcher({ dialog }: Ui): void {
  dialog.value = "switcher";
}
