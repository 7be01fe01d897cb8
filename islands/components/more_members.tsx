import { useState } from "preact/hooks";
import type { RoomState } from "../client/room_state.ts";
import { Avatar } from "./avatar.tsx";
import type { Ui } from "./ui.ts";

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
  const readOn = async () => {
    const result = await client.api.members(room.room.id, page);
    if (!result.ok) return;
    setRead([...read, ...result.data]);
    setPage(result.next ?? "");
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
          <button type="button" class="quiet" onClick={readOn}>
            {t("moreMembers", { n: left })}
          </button>
        </li>
      )}
    </>
  );
}
