import { useEffect, useRef } from "preact/hooks";
import type { Strings } from "../strings/en.ts";
import type { Ui } from "./ui.ts";

const SHORTCUTS: readonly [does: keyof Strings, ...keys: string[]][] = [
  ["switchRoom", "Ctrl", "K"],
  ["keysNeighbour", "Alt", "↑ ↓"],
  ["keysUnread", "Alt", "Shift", "↑ ↓"],
  ["send", "Enter"],
  ["keysNewLine", "Shift", "Enter"],
  ["keysMessages", "↑ ↓"],
  ["keysActions", "Enter"],
  ["keysEditLast", "↑"],
  ["keysClose", "Esc"],
  ["keysHelp", "?"],
];

/** The keys that do something, in a dialog. */
export function ShortcutList(
  { ui: { t }, onClose }: { ui: Ui; onClose: () => void },
) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      class="shortcuts"
      ref={dialog}
      aria-labelledby="shortcuts-title"
      onClose={onClose}
    >
      <h2 id="shortcuts-title">{t("keys")}</h2>
      <dl>
        {SHORTCUTS.map(([does, ...keys]) => (
          <div key={does}>
            <dt>{t(does)}</dt>
            <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          {t("close")}
        </button>
      </div>
    </dialog>
  );
}
