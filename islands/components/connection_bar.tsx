import { useEffect, useState } from "preact/hooks";
import type { PageControls } from "./chat_app.tsx";
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
    if (isLive) lookForUpdate();
    if (!isTrouble) return;
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [isTrouble]);
  useTick(state.phase === "waiting");

  const note = isLive && controls?.note();
  const isOtherUser = state.phase === "stopped" && state.why === "otherUser";
  const isVisible = state.phase === "stopped" || note ||
    (isTrouble && isLate);
  const text = () => {
    switch (state.phase) {
      case "idle":
        return "";
      case "live":
        return t(note || "connected");
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
        return t(state.why);
    }
  };
  return (
    <section
      aria-label={t("connection")}
      class={`connection ${isVisible ? note || "" : "quiet"}`}
    >
      <p role="status">{isHydrated ? text() : ""}</p>
      {note === "outdated" || isOtherUser
        ? <a class="button" href="">{t("reload")}</a>
        : isVisible && <Remedy ui={ui} />}
    </section>
  );
}

/** A line that was lost may have been cut by a newer server. Without a network nothing comes of it. */
function lookForUpdate(): void {
  navigator.serviceWorker?.ready
    .then((registration) => registration.update()).catch(() => {});
}

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
  if (state.why === "signedOut") {
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
