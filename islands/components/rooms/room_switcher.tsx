import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { foldForSearch } from "../../../text/fold.ts";
import { Avatar } from "../avatar.tsx";
import type { Ui } from "../ui.ts";

/** Most rooms listed; more letters of a name find the others. */
const MAX_LISTED = 100;

/** Jumps to one of the user's rooms by a few letters of its name. */
export function RoomSwitcher({ ui, onClose }: { ui: Ui; onClose: () => void }) {
  const { client, t, navigate } = ui;
  const dialog = useRef<HTMLDialogElement>(null);
  // Signals: keys that follow fast on each other act on what was typed, drawn or not.
  const text = useSignal("");
  const chosen = useSignal(0);
  const found = useComputed(() => {
    const wanted = foldForSearch(text.value);
    return client.rooms.list.filter(({ room }) =>
      foldForSearch(room.name).includes(wanted)
    ).slice(0, MAX_LISTED);
  });
  const index = () => Math.min(chosen.value, found.value.length - 1);
  useEffect(() => dialog.current?.showModal(), []);

  const open = (id: string) => {
    dialog.current?.close();
    navigate(`/rooms/${id}`);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const { length } = found.value;
    if (step !== undefined && length > 0) {
      event.preventDefault();
      chosen.value = (index() + step + length) % length;
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const room = found.value[index()];
      // Without a match it stays open: a room further down the list may still be on its way.
      if (room) open(room.room.id);
    }
  };
  const rooms = found.value;
  const current = rooms[index()];
  return (
    <dialog
      class="switcher"
      ref={dialog}
      aria-label={t("switchRoom")}
      onClose={onClose}
      onClick={(event) =>
        event.target === dialog.current && dialog.current?.close()}
    >
      <input
        type="text"
        role="combobox"
        list={undefined}
        aria-label={t("switchRoom")}
        aria-expanded="true"
        aria-controls="switcher-rooms"
        aria-activedescendant={current && `switch-${current.room.id}`}
        placeholder={t("switchRoom")}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="switcher-rooms" role="listbox" aria-label={t("rooms")}>
        {rooms.map(({ room, unread }) => (
          <li
            key={room.id}
            id={`switch-${room.id}`}
            role="option"
            aria-selected={`${room === current?.room}`}
            onClick={() => open(room.id)}
          >
            <Avatar name={room.name} shape="room" />
            <span class="name" dir="auto">{room.name}</span>
            {unread > 0 && <span class="badge">{unread}</span>}
          </li>
        ))}
      </ul>
      <p class="hint">{t(rooms.length === 0 ? "noMatch" : "switchHint")}</p>
    </dialog>
  );
}
