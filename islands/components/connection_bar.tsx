import { useEffect, useState } from "preact/hooks";
import type { PageControls } from "./chat_app.tsx";
import { Later, withExtras } from "./later.tsx";
import { type Ui, useTick } from "./ui.ts";

/** A line that is back within this time is not worth a word, in milliseconds. */
const QUIET_MS = 3_000;

/** How the connection is. Always readable for screen readers, visible only when it matters. */
export function ConnectionBar(
  { ui, controls }: { ui: Ui; controls: PageControls | undefined },
) {
  const { client, t, isHydrated } = ui;
  const { state } = client.connection;
  const isLive = state.phase === "live";
  const isTrouble = !isLive && state.phase !== "idle";
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (isLive) withExtras(ui, ({ lookForUpdate }) => lookForUpdate());
    if (!isTrouble) return;
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [isTrouble]);
  useTick(state.phase === "waiting");

  const note = isLive && controls?.note();
  const isVisible = state.phase === "stopped" || note ||
    (isTrouble && isLate);
  return (
    <section
      aria-label={t("connection")}
      class={`connection ${isVisible ? note || "" : "quiet"}`}
    >
      <p role="status">
        {isHydrated && (
          <Later ui={ui}>
            {({ connectionText }) => connectionText(ui, note)}
          </Later>
        )}
      </p>
      {isVisible && (
        <Later ui={ui}>{({ Remedy }) => <Remedy ui={ui} note={note} />}</Later>
      )}
    </section>
  );
}
