/** What stands with a message's text: what it answers, that it was edited or pinned, how others react. */

import type {
  Message,
  Quote,
  Reaction,
} from "../../../realtime/protocol/protocol.ts";
import type { Ui } from "../ui.ts";

/** The message that this one answers, in short. */
export function QuoteBlock({ quote, ui }: { quote: Quote; ui: Ui }) {
  const { sender, text, deleted } = quote;
  return (
    <span class="quote" dir="auto">
      <span class="visually-hidden">{ui.t("inReplyTo")}</span>{" "}
      <b>{sender.username}</b>{" "}
      {deleted ? <i>{ui.t("messageDeleted")}</i> : text}
    </span>
  );
}

/** Words beside the time: edited, pinned. */
export function MessageMarks(
  { message: { editedAt, pinnedAt }, ui }: { message: Message; ui: Ui },
) {
  const { t, times } = ui;
  return (
    <>
      {editedAt && (
        <small class="mark" title={times.value.full(editedAt)}>
          {t("edited")}
        </small>
      )}
      {pinnedAt && <small class="mark">{t("pinned")}</small>}
    </>
  );
}

/** The emoji under a message, with how many have put each. */
export function Reactions(
  { reactions, ui }: { reactions: readonly Reaction[]; ui: Ui },
) {
  return (
    <ul class="reactions" aria-label={ui.t("reactions")}>
      {reactions.map(({ emoji, count, userIds }) => (
        <li
          key={emoji}
          class={userIds.includes(ui.client.user.id) ? "mine" : ""}
        >
          {emoji} <b>{count}</b>
        </li>
      ))}
    </ul>
  );
}
