/** What the line about the connection says, and offers. */

import { placeFocus } from "../../focus.ts";
import type { Note, Ui } from "../ui.ts";

/**
 * How the connection is, in words.
 *
 * @param note what is to be said while it is well
 */
export function connectionText({ client, t }: Ui, note: Note): string {
  const { state } = client.connection;
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
      const n = Math.max(
        1,
        Math.ceil((state.retryAt - client.clock.now()) / 1000),
      );
      return t("retryingIn", { n });
    }
    case "stopped":
      return t(state.why);
  }
}

/** What the user can do about it. */
export function Remedy(
  { ui: { client, t }, note }: { ui: Ui; note: Note },
) {
  const { state } = client.connection;
  const isStopped = state.phase === "stopped";
  const isOtherUser = isStopped && state.why === "otherUser";
  if (note === "outdated" || isOtherUser) {
    return <a class="button" href="">{t("reload")}</a>;
  }
  if (state.phase === "live") return null;
  if (isStopped && state.why === "signedOut") {
    const next = encodeURIComponent(location.pathname);
    return (
      <a class="button" href={`/login?next=${next}`}>{t("signInAgain")}</a>
    );
  }
  // The same button while a try is under way: it keeps its place and the focus.
  return (
    <button
      type="button"
      ref={passFocusOn}
      onClick={() =>
        isStopped ? client.connection.start() : client.connection.wake()}
    >
      {t(isStopped ? "reconnect" : "tryNow")}
    </button>
  );
}

/** Preact calls what this returns just before it removes the button: the connection is back. */
function passFocusOn(button: HTMLButtonElement | null): () => void {
  return () => {
    if (button === null || button !== document.activeElement) return;
    button.blur();
    placeFocus(location.pathname, location.pathname);
  };
}
