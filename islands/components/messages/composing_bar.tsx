import type { RoomState } from "../../client/rooms/room_state.ts";
import { Icon } from "../icon.tsx";
import type { Ui } from "../ui.ts";

/** Above the box: which message the text answers or replaces, and the way out of it. */
export function ComposingBar(
  { ui: { t }, state, onStop }: {
    ui: Ui;
    state: RoomState;
    onStop: () => void;
  },
) {
  if (state.composing === undefined) return null;
  const { kind, message: { sender, text } } = state.composing;
  return (
    <div class="composing">
      <Icon name={kind === "edit" ? "draft" : "reply"} />
      <p>
        <b>
          {kind === "edit"
            ? t("editing")
            : t("replyingTo", { name: sender.username })}
        </b>{" "}
        <span dir="auto">{text}</span>
      </p>
      <button
        type="button"
        class="icon-button"
        aria-label={t("cancel")}
        onClick={onStop}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
