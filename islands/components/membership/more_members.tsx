import { useState } from "preact/hooks";
import { listMembers } from "../../client/rooms/all_rooms.ts";
import type { RoomState } from "../../client/rooms/room_state.ts";
import { passFocus } from "../../focus.ts";
import { Avatar } from "../avatar.tsx";
import type { Ui } from "../ui.ts";

/** Members that the roster has no place for: read page by page, without their presence. */
export function MoreMembers({ ui, room }: { ui: Ui; room: RoomState }) {
  const { client, t } = ui;
  const [read, setRead] = useState<readonly { id: string; username: string }[]>(
    [],
  );
  const [page, setPage] = useState("");
  const { users = [], memberCount = 0 } = room.roster ?? {};
  const shown = new Set(users.map(({ id }) => id));
  const others = read.filter(({ id }) => !shown.has(id));
  const left = memberCount - users.length - others.length;
  const readOn = async (button: HTMLButtonElement) => {
    const found = [...read];
    let next: string | undefined = page;
    // The first pages may hold none but those whom the roster has.
    do {
      const result = await listMembers(client.api, room.room.id, next);
      if (!result.ok) return;
      found.push(...result.data.filter(({ id }) => !shown.has(id)));
      next = result.next;
    } while (next !== undefined && found.length === read.length);
    if (users.length + found.length >= memberCount) {
      const item = button.parentElement;
      passFocus(button, item?.previousElementSibling as HTMLElement | null);
    }
    setRead(found);
    setPage(next ?? "");
  };
  return (
    <>
      {others.map(({ id, username }) => (
        <li key={id} class="unseen">
          <Avatar name={username} />
          <span class="name" dir="auto">{username}</span>
        </li>
      ))}
      {left > 0 && (
        <li class="more">
          <button
            type="button"
            class="quiet"
            onClick={({ currentTarget }) => readOn(currentTarget)}
          >
            {t("moreMembers", { n: left })}
          </button>
        </li>
      )}
    </>
  );
}
