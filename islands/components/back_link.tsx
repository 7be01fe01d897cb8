import { Icon } from "./icon.tsx";
import { useUi } from "./ui.ts";

/** On a phone, where list and room take turns. */
export function BackLink() {
  const { t } = useUi();
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
