import { loadAgain } from "./timeline_scroll.ts";
import type { ScrolledTimeline } from "../ui.ts";

/** Says that history could not be loaded, and tries again. */
export function LoadError({ view }: { view: ScrolledTimeline }) {
  const { t } = view.ui;
  return (
    <p class="load-error" role="alert">
      {t("loadFailed")}{" "}
      <button type="button" onClick={() => loadAgain(view)}>
        {t("tryAgain")}
      </button>
    </p>
  );
}
