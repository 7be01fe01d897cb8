import { Icon } from "./icon.tsx";
import { isModified, useUi } from "./ui.ts";

/** On a phone, where list and room take turns. */
export function BackLink() {
  const { t, navigate } = useUi();
  return (
    <a
      class="icon-button back"
      href="/"
      aria-label={t("backToRooms")}
      onClick={(event) => {
        if (isModified(event)) return;
        event.preventDefault();
        navigate("/");
      }}
    >
      <Icon name="back" />
    </a>
  );
}
