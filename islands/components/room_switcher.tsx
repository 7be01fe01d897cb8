import { useEffect, useRef, useState } from "preact/hooks";
import { foldForSearch } from "../../text/fold.ts";
import { Avatar } from "./avatar.tsx";
import type { Ui } from "./ui.ts";

/** Most rooms listed; more letters of a name find the others. */
const MAX_LISTED = 100;

/** Jumps to one of the user's rooms by a few letters of its name. */
export function RoomSwitcher({ ui, onClose }: { ui: Ui; onClose: () => void }) {
  const { client, t, navigate } = ui;
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  useEffect(() => dialog.current?.showModal(), []);

  const wanted = foldForSearch(text);
  const rooms = client.rooms.list.filter(({ room }) =>
    foldForSearch(room.name).includes(wanted)
  ).slice(0, MAX_LISTED);
  const index = Math.min(chosen, rooms.length - 1);
  const open = (id: string | undefined) => {
    dialog.current?.close();
    if (id !== undefined) navigate(`/rooms/${id}`);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && rooms.length > 0) {
      event.preventDefault();
      setChosen((index + step + rooms.length) % rooms.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      open(rooms[index]?.room.id);
    }
  };
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
        aria-activedescendant={rooms[index] && `switch-${rooms[index].room.id}`}
        placeholder={t("switchRoom")}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="switcher-rooms" role="listbox" aria-label={t("rooms")}>
        {rooms.map(({ room, unread }, position) => (
          <li
            key={room.id}
            id={`switch-${room.id}`}
            role="option"
            aria-selected={`${position === index}`}
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
