import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { codePointLength } from "../../../text/code_points.ts";
import { MAX_TEXT_LENGTH } from "../../../realtime/protocol/limits.ts";
import { isBlank } from "../../../text/blank.ts";
import type { RoomState } from "../../client/rooms/room_state.ts";
import type { ChatPageProps } from "../../page_props.ts";
import type { Strings } from "../../strings/en.ts";
import { quoteOf } from "../../text/quotes.ts";
import { Icon } from "../icon.tsx";
import { Later, withExtras } from "../later.tsx";
import { carriesFiles } from "./files.ts";
import type { Ui } from "../ui.ts";

/** Where messages are written. It is never disabled: what cannot be sent now is kept. */
export function Composer(
  { ui, state, page, onSent }: {
    ui: Ui;
    state: RoomState;
    page: ChatPageProps;
    onSent: () => void;
  },
) {
  const { client, t } = ui;
  const { id, name } = state.room;
  const box = useRef<HTMLTextAreaElement>(null);
  const [left, setLeft] = useState(MAX_TEXT_LENGTH);
  const [fault, setFault] = useState<keyof Strings>();

  const measure = () => {
    const { current } = box;
    if (current === null) return;
    const text = current.value.trim();
    setLeft(charactersLeft(text));
    setFault(text !== "" && isBlank(text) ? "blankMessage" : undefined);
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
  };
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    // What was typed before the script came wins over an older draft.
    current.value ||= client.drafts.read(id);
    client.drafts.write(id, current.value);
    measure();
    current.enterKeyHint = isForFingers() ? "enter" : "send";
    // On a phone the focus would open the keyboard over the room; and who writes elsewhere goes on there.
    if (
      matchMedia("(hover: hover) and (min-width: 45em)").matches &&
      document.activeElement === document.body
    ) current.focus();

    const onDrop = (event: DragEvent) =>
      carriesFiles(event.dataTransfer) && setFault("noFiles");
    addEventListener("drop", onDrop);
    const stopWatching = effect(() => {
      if (client.drafts.holds(id) || isBlank(current.value)) return;
      // Another tab has sent it.
      current.value = "";
      measure();
    });
    return () => {
      removeEventListener("drop", onDrop);
      stopWatching();
    };
  }, []);

  const send = () => {
    const { current } = box;
    if (current === null || isBlank(current.value)) return;
    // Counted anew: `left` is as old as the last drawing.
    if (charactersLeft(current.value.trim()) < 0) return;
    const { composing } = state;
    const text = current.value;
    if (composing?.kind === "edit") {
      withExtras(ui, ({ edit }) => edit(ui, state, composing.message, text));
    } else {
      client.send(id, text, composing && quoteOf(composing.message));
      onSent();
    }
    state.composing = undefined;
    fill(composing?.kind === "edit" ? kept.current : "");
  };
  /** Puts a text into the box. */
  const fill = (text: string) => {
    if (box.current === null) return;
    box.current.value = text;
    client.typed(id, text);
    measure();
  };
  /** What stood in the box before an edit began. */
  const kept = useRef("");
  const wasEditing = useRef(false);
  const { composing } = state;
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const isEditing = composing?.kind === "edit";
    if (isEditing) {
      if (!wasEditing.current) kept.current = current.value;
      fill(composing.message.text);
    }
    wasEditing.current = isEditing;
    if (composing) current.focus();
  }, [composing]);
  const stopComposing = () => {
    if (composing?.kind === "edit") fill(kept.current);
    state.composing = undefined;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { key, shiftKey, ctrlKey, metaKey } = event;
    if (key === "Escape" && composing) return stopComposing();
    if (key === "ArrowUp" && box.current?.value === "" && !composing) {
      return withExtras(ui, ({ editLast }) => editLast(ui, state));
    }
    // While an input method composes, Enter chooses a character; Safari says so by 229 alone.
    if (key !== "Enter" || event.isComposing || event.keyCode === 229) return;
    if (!ctrlKey && !metaKey && (shiftKey || isForFingers())) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="composer"
      method="post"
      action={`/rooms/${id}/messages?user=${client.user.id}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
        box.current?.focus();
      }}
    >
      <div class="hints">
        <Later ui={ui}>
          {({ ComposerHints }) => (
            <ComposerHints {...{ ui, state, page, left, fault }} />
          )}
        </Later>
      </div>
      {composing && (
        <Later ui={ui}>
          {({ ComposingBar }) => (
            <ComposingBar ui={ui} state={state} onStop={stopComposing} />
          )}
        </Later>
      )}
      <div class="composer-box">
        <textarea
          ref={box}
          name="text"
          rows={1}
          dir="auto"
          aria-label={t("message")}
          aria-describedby="composer-hint"
          placeholder={t("writeTo", { name })}
          onInput={() => {
            measure();
            state.changeFault = undefined;
            client.typed(id, box.current?.value ?? "");
          }}
          onKeyDown={onKeyDown}
          onPaste={({ clipboardData }) =>
            carriesFiles(clipboardData) &&
            !clipboardData?.types.includes("text/plain") &&
            setFault("noFiles")}
        />
        <input type="hidden" name="clientMsgId" value={page.formMessageId} />
        <button class="send" type="submit" aria-label={t("send")}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

/** Keyboards on the screen have no Shift+Enter: there Enter breaks the line, and the button sends. */
function isForFingers(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** How many characters more the server takes. */
function charactersLeft(text: string): number {
  return MAX_TEXT_LENGTH - codePointLength(text);
}
