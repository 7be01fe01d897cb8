import type { RoomState } from "../../client/rooms/room_state.ts";
import { sendPace } from "../../client/messages/send_pace.ts";
import type { ChatPageProps } from "../../page_props.ts";
import type { Strings } from "../../strings/en.ts";
import { useTick } from "../tick.ts";
import type { Ui } from "../ui.ts";

/** The counter appears when so many characters are left. */
const COUNTER_FROM = 60;

/** One line of fixed height: who is typing, and what there is to say about the text. */
export function ComposerHints(
  { ui, state, page, left, fault }: {
    ui: Ui;
    state: RoomState;
    page: ChatPageProps;
    /** How many characters more the server takes. */
    left: number;
    /** Why what was done just now comes to nothing: key of the text. */
    fault: keyof Strings | undefined;
  },
) {
  const { client, t } = ui;
  const now = client.clock.now();
  const mutedFor = state.mutedUntil - now;
  const pace = sendPace(state.sentAt, page.messageLimit, now);
  useTick(mutedFor > 0 || pace !== undefined);
  const hint = () => {
    if (left < 0) return t("charactersOver", { n: -left });
    if (state.changeFault) return t(FAULTS[state.changeFault] ?? "notChanged");
    if (fault) return t(fault);
    if (mutedFor > 0) return t("mutedFor", { n: seconds(mutedFor) });
    if (pace?.left === 0) return t("pauseFor", { n: seconds(pace.waitMs) });
    if (pace) return t("sendsLeft", { n: pace.left });
    if (!ui.isHydrated.value && page.problem) return t(page.problem);
    return left <= COUNTER_FROM && t("charactersLeft", { n: left });
  };
  return (
    <>
      {state.deletion
        ? (
          <p class="undo" role="alert">
            {t("deleting")}
            <button type="button" onClick={state.deletion.undo}>
              {t("undo")}
            </button>
          </p>
        )
        : <TypingLine ui={ui} names={state.typing.names} />}
      <p id="composer-hint" class={left < 0 ? "over" : ""}>{hint()}</p>
    </>
  );
}

/** Why a change was not done, where there is more to say than that. */
const FAULTS: Readonly<Record<string, keyof Strings>> = {
  edit_conflict: "editConflict",
  message_deleted: "alreadyDeleted",
  reaction_limit: "reactionLimit",
  pin_limit: "pinLimit",
  too_many_requests: "changingTooFast",
};

function TypingLine(
  { ui: { t }, names }: { ui: Ui; names: readonly string[] },
) {
  const [a = "", b = ""] = names;
  const text = names.length > 2
    ? t("typingMany")
    : names.length === 2
    ? t("typingTwo", { a, b })
    : names.length === 1
    ? t("typingOne", { a })
    : "";
  return (
    <p class="typing">
      {text !== "" && (
        <span class="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      <span dir="auto">{text}</span>
    </p>
  );
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
