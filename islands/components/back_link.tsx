import { Icon } from "./icon.tsx";
import type { Ui } from "./ui.ts";

/** On a phone, where list and room take turns. */
export function BackLink({ ui: { t } }: { ui: Ui }) {
  return (
    <a
      class="icon-button back"
      href="/"
      data-chat
      aria-label={t("backToRooms")}
    >
      <Icon name="back" />
    </a>
  );
}
