/** What the line about the connection says, and offers. */

import type { PageControls } from "./chat_app.tsx";
import type { Ui } from "./ui.ts";

type Note = ReturnType<PageControls["note"]> | undefined;

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
      const n = Math.max(1, Math.ceil((state.retryAt - client.now()) / 1000));
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
  const isOtherUser = state.phase === "stopped" && state.why === "otherUser";
  if (note === "outdated" || isOtherUser) {
    return <a class="button" href="">{t("reload")}</a>;
  }
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
