import type { RefusalCode } from "../../../realtime/protocol/protocol.ts";
import type { Strings } from "../../strings/en.ts";
import { Icon } from "../icon.tsx";
import type { Ui } from "../ui.ts";

/** Why a message was refused for good, and what can be done about it. */
export function FailedMessage({ ui, id }: { ui: Ui; id: string }) {
  const { client: { outbox }, t } = ui;
  const entry = outbox.get(id);
  if (entry?.failed === undefined) return null;
  const others = outbox.entries(entry.roomId).filter(({ failed }) =>
    failed !== undefined
  );
  return (
    <>
      {t("notSent")}: {t(REASONS[entry.failed] ?? "refusedBad")}.
      <button type="button" onClick={() => outbox.retry(id)}>
        <Icon name="retry" />
        {t("retry")}
      </button>
      {others.length > 1 && others[0] === entry && (
        <button
          type="button"
          onClick={() => {
            for (const { clientMsgId } of others) outbox.retry(clientMsgId);
          }}
        >
          <Icon name="retry" />
          {t("retryAll")}
        </button>
      )}
      <button
        type="button"
        onClick={() => navigator.clipboard?.writeText(entry.text)}
      >
        <Icon name="copy" />
        {t("copy")}
      </button>
      <button
        type="button"
        onClick={() => {
          outbox.remove(id);
          // What had the focus is gone.
          document.getElementById("messages")?.focus();
        }}
      >
        <Icon name="trash" />
        {t("delete")}
      </button>
    </>
  );
}

const REASONS: Partial<Record<RefusalCode, keyof Strings>> = {
  not_a_member: "refusedNotMember",
  room_not_found: "refusedNoRoom",
};
