import { useEffect, useRef } from "preact/hooks";
import type { Room } from "../../client/api.ts";
import { leaveRoom } from "../../client/membership/membership.ts";
import type { Ui } from "../ui.ts";

/** Asks before the user leaves a room. */
export function LeaveDialog(
  { ui, room, onClose }: { ui: Ui; room: Room; onClose: () => void },
) {
  const { client, t, navigate } = ui;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const leave = async () => {
    dialog.current?.close();
    const result = await leaveRoom(client, room.id);
    if (result.ok) navigate("/");
  };
  return (
    <dialog ref={dialog} aria-labelledby="leave-title" onClose={onClose}>
      <h2 id="leave-title">{t("leaveTitle", { name: room.name })}</h2>
      <p>{t("leaveLead")}</p>
      <div class="dialog-buttons">
        <button
          type="button"
          class="quiet"
          onClick={() => dialog.current?.close()}
        >
          {t("cancel")}
        </button>
        <button type="button" class="danger" onClick={leave}>
          {t("leaveRoom")}
        </button>
      </div>
    </dialog>
  );
}
