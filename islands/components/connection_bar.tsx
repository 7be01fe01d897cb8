import { useEffect, useState } from "preact/hooks";
import type { Wire } from "../client/fallback_transport.ts";
import { type Ui, useTick } from "./ui.ts";

/** A line that is back within this time is not worth a word, in milliseconds. */
const QUIET_MS = 3_000;

/** How the connection is. Always readable for screen readers, visible only when it matters. */
export function ConnectionBar(
  { ui, wire }: { ui: Ui; wire: Wire | undefined },
) {
  const { client, t, isHydrated } = ui;
  const { state } = client.connection;
  const isLive = state.phase === "live";
  const isTrouble = !isLive && state.phase !== "idle";
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!isTrouble) return;
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [isTrouble]);
  useTick(state.phase === "waiting");

  const isFallback = isLive && wire === "event_stream";
  const isVisible = state.phase === "stopped" || isFallback ||
    (isTrouble && isLate);
  const text = () => {
    switch (state.phase) {
      case "idle":
        return "";
      case "live":
        return t(isFallback ? "fallback" : "connected");
      case "connecting":
        return t("connecting");
      case "syncing":
        return t("catchingUp");
      case "waiting": {
        if (navigator.onLine === false) return t("youAreOffline");
        const n = Math.max(1, Math.ceil((state.retryAt - client.now()) / 1000));
        return t("retryingIn", { n });
      }
      case "stopped":
        return t(STOPPED[state.why]);
    }
  };
  return (
    <section
      aria-label={t("connection")}
      class={`connection ${isVisible ? "visible" : ""} ${
        isFallback ? "fallback" : ""
      }`}
    >
      <p role="status">{isHydrated ? text() : ""}</p>
      {isVisible && <Remedy ui={ui} />}
    </section>
  );
}

const STOPPED = {
  gave_up: "gaveUp",
  signed_out: "signedOut",
  removed: "removed",
  closed: "removed",
} as const;

/** What the user can do about it. */
function Remedy({ ui: { client, t } }: { ui: Ui }) {
  const { state } = client.connection;
  if (state.phase === "waiting") {
    return (
      <button type="button" onClick={() => client.connection.wake()}>
        {t("tryNow")}
      </button>
    );
  }
  if (state.phase !== "stopped") return null;
  if (state.why === "signed_out") {
    const next = encodeURIComponent(location.pathname);
    return (
      <a class="button" href={`/login?next=${next}`}>{t("signInAgain")}</a>
    );
  }
  return (
    <button type="button" onClick={() => client.connection.start()}>
      {t("reconnect")}
    </button>
  );
}
