import { useEffect, useState } from "preact/hooks";
import { Later, withExtras } from "../later.tsx";
import { useTick } from "../tick.ts";
import type { Ui } from "../ui.ts";

/** A line that is back within this time is not worth a word, in milliseconds. */
const QUIET_MS = 3_000;

/** How the connection is. Always readable for screen readers, visible only when it matters. */
export function ConnectionBar({ ui }: { ui: Ui }) {
  const { client, t } = ui;
  const { state } = client.connection;
  const { isLive } = client.connection;
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

  const note = isLive && ui.surroundings.note.value;
  const isVisible = state.phase === "stopped" || note ||
    (isTrouble && isLate);
  return (
    <section
      aria-label={t("connection")}
      class={`connection ${isVisible ? note || "" : "quiet"}`}
    >
      <p role="status">
        {ui.isHydrated.value && (
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
