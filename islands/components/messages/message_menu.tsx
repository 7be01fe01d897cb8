import { useEffect, useRef } from "preact/hooks";
import {
  changeMessage,
  deleteSoon,
  setReaction,
} from "../../client/messages/changes.ts";
import type { RoomState } from "../../client/rooms/room_state.ts";
import { Icon, type IconName } from "../icon.tsx";
import type { Ui } from "../ui.ts";

/** The emoji that stand in the menu itself. */
const QUICK_EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

/** Between the menu and what is around it, in pixels. */
const GAP_PX = 8;

/** What can be done with a message, beside the button that asked for it. */
export function MessageMenu({ ui, state }: { ui: Ui; state: RoomState }) {
  const { client, t, menu } = ui;
  const ref = useRef<HTMLDivElement>(null);
  const { message, button } = menu.value!;
  useEffect(() => {
    const { current } = ref;
    if (current === null) return;
    current.showPopover();
    place(current, button.getBoundingClientRect());
    current.querySelector("button")?.focus();
    const hide = () => current.hidePopover();
    addEventListener("resize", hide);
    return () => removeEventListener("resize", hide);
  }, [message]);
  const { roomId, messageId, sender, text, reactions, pinnedAt } = message;
  const isOwn = sender.id === client.user.id;
  const isModerator = state.room.createdBy.id === client.user.id;
  const item = (icon: IconName, label: string, run: () => void) => (
    <button
      type="button"
      onClick={() => {
        ref.current?.hidePopover();
        run();
      }}
    >
      <Icon name={icon} />
      {label}
    </button>
  );
  return (
    <div
      ref={ref}
      class="message-menu"
      popover="auto"
      role="group"
      aria-label={t("messageActions")}
      onToggle={({ newState }) => {
        if (newState !== "closed") return;
        // The focus goes to the message, unless it has gone elsewhere meanwhile.
        const { activeElement } = document;
        if (activeElement === document.body || activeElement === button) {
          button.closest<HTMLElement>(".message")?.focus();
        }
        menu.value = undefined;
      }}
    >
      <div class="quick">
        {QUICK_EMOJI.map((emoji) => {
          const isMine = reactions?.some((each) =>
            each.emoji === emoji && each.userIds.includes(client.user.id)
          ) ?? false;
          return (
            <button
              key={emoji}
              type="button"
              aria-pressed={isMine}
              aria-label={t("react", { emoji })}
              onClick={() => {
                ref.current?.hidePopover();
                setReaction(client, state, message, emoji, !isMine);
              }}
            >
              {emoji}
            </button>
          );
        })}
      </div>
      {item("reply", t("reply"), () => {
        state.composing = { kind: "reply", message };
      })}
      {isOwn && item("draft", t("edit"), () => {
        state.composing = { kind: "edit", message };
      })}
      {item(
        "copy",
        t("copyText"),
        () => navigator.clipboard?.writeText(text),
      )}
      {isModerator && item("pin", t(pinnedAt ? "unpin" : "pin"), () => {
        changeMessage(client, state, "pin:set", {
          ...{ roomId, messageId, on: !pinnedAt },
        });
      })}
      {(isOwn || isModerator) && item("trash", t("deleteMessage"), () => {
        deleteSoon(client, state, message);
      })}
    </div>
  );
}

/** Puts the menu beside its button, inside the window. */
function place(menu: HTMLElement, button: DOMRect): void {
  const { offsetWidth, offsetHeight, style } = menu;
  const below = button.bottom + GAP_PX;
  const fits = below + offsetHeight < innerHeight;
  const top = fits ? below : button.top - GAP_PX - offsetHeight;
  const left = Math.min(
    Math.max(GAP_PX, button.right - offsetWidth),
    innerWidth - offsetWidth - GAP_PX,
  );
  style.top = `${Math.max(GAP_PX, top)}px`;
  style.left = `${left}px`;
}
