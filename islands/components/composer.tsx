import { useEffect, useRef, useState } from "preact/hooks";
import { codePointLength, MAX_TEXT_LENGTH } from "../../realtime/protocol.ts";
import { isBlank } from "../../text.ts";
import type { RoomState } from "../client/room_state.ts";
import type { ChatPageProps } from "../page_props.ts";
import { Icon } from "./icon.tsx";
import { type Ui, useTick } from "./ui.ts";

/** The counter appears when so many characters are left. */
const COUNTER_FROM = 60;

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
  const [isUnseen, setUnseen] = useState(false);

  const measure = () => {
    const { current } = box;
    if (current === null) return;
    const text = current.value.trim();
    setLeft(charactersLeft(text));
    setUnseen(text !== "" && isBlank(text));
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
  };
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    // What was typed before the script came wins over an older draft.
    current.value ||= client.drafts.read(id);
    measure();
    current.enterKeyHint = isForFingers() ? "enter" : "send";
    // On a phone the focus would open the keyboard over the room.
    if (matchMedia("(hover: hover) and (min-width: 720px)").matches) {
      current.focus();
    }
  }, []);

  const send = () => {
    const { current } = box;
    if (current === null || isBlank(current.value)) return;
    // Counted anew: `left` is as old as the last drawing.
    if (charactersLeft(current.value.trim()) < 0) return;
    client.send(id, current.value);
    current.value = "";
    measure();
    onSent();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key, shiftKey, ctrlKey, metaKey } = event;
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
      <Hints
        ui={ui}
        state={state}
        left={left}
        isUnseen={isUnseen}
        problem={page.problem}
      />
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
            client.typed(id, box.current?.value ?? "");
          }}
          onKeyDown={onKeyDown}
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

/** One line of fixed height: the mute's countdown, the characters left, or who is typing. */
function Hints(
  { ui, state, left, isUnseen, problem }: {
    ui: Ui;
    state: RoomState;
    left: number;
    /** Something was written, and nothing of it is to be seen. */
    isUnseen: boolean;
    problem: ChatPageProps["problem"];
  },
) {
  const { client, t, isHydrated } = ui;
  const mutedFor = Math.ceil((state.mutedUntil - client.now()) / 1000);
  useTick(mutedFor > 0);
  const { names } = state.typing;
  const typing = names.length > 2
    ? t("typingMany")
    : names.length === 2
    ? t("typingTwo", { a: names[0] ?? "", b: names[1] ?? "" })
    : names.length === 1
    ? t("typingOne", { a: names[0] ?? "" })
    : "";
  return (
    <div class="hints">
      <p class="typing">
        {typing !== "" && (
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
        )}
        <span dir="auto">{typing}</span>
      </p>
      <p id="composer-hint" class={left < 0 || mutedFor > 0 ? "over" : ""}>
        {mutedFor > 0
          ? t("mutedFor", { n: mutedFor })
          : left < 0
          ? t("charactersOver", { n: -left })
          : isUnseen
          ? t("blankMessage")
          : !isHydrated && problem
          ? t(problem)
          : left <= COUNTER_FROM && t("charactersLeft", { n: left })}
      </p>
    </div>
  );
}
