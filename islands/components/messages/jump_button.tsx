import { Icon } from "../icon.tsx";
import type { ScrolledTimeline } from "../ui.ts";

/**
 * Leads back to the newest message, and says how many have come since.
 *
 * @param shownSeq `seq` of the newest message that was on the screen
 */
export function JumpButton(
  { view, shownSeq, onJump }: {
    view: ScrolledTimeline;
    shownSeq: number;
    onJump: () => void;
  },
) {
  const { room: { store }, ui: { client, t } } = view;
  const last = Math.max(store.messages.at(-1)?.seq ?? 0, shownSeq);
  // Whose those are that are not held, nobody knows here.
  const n = store.position - last +
    store.messages.filter(({ seq, sender }) =>
      seq > shownSeq && sender.id !== client.user.id
    ).length;
  if (n === 0 && !view.isFarFromEnd) return null;
  return (
    <button
      type="button"
      class={`jump ${n > 0 ? "fresh" : ""}`}
      onClick={() => {
        onJump();
        // The button goes.
        view.log?.focus();
      }}
    >
      <Icon name="arrowDown" />
      {n > 0 ? t("newBelow", { n }) : t("jumpToLatest")}
    </button>
  );
}
