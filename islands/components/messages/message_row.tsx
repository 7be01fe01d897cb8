import type { Message } from "../../../realtime/protocol/protocol.ts";
import { isEmojiOnly, linkify } from "../../text/linkify.ts";
import { Avatar } from "../avatar.tsx";
import { Icon } from "../icon.tsx";
import { Later } from "../later.tsx";
import type { Ui } from "../ui.ts";
import { MessageMarks, QuoteBlock, Reactions } from "./message_parts.tsx";

export interface MessageRowProps {
  message: Message;
  isOwn: boolean;
  /** First of its group: carries the author and the time. */
  isFirst: boolean;
  /** Absent once the server has it. */
  status?: "sending" | "queued" | "failed" | undefined;
  ui: Ui;
}

/** One message, sent or on its way: the same element, so that being sent moves nothing. */
export function MessageRow(
  { message, isOwn, isFirst, status, ui }: MessageRowProps,
) {
  const { sender, text, createdAt: at, deletedAt, replyTo, reactions } =
    message;
  const author = sender.username;
  const times = ui.times.value;
  const time = (
    <time dateTime={at} title={times.full(at)}>{times.clock(at)}</time>
  );
  const classes = [
    "message",
    ...[isOwn && "own", isFirst && "first", deletedAt && "deleted", status],
  ];
  return (
    <article class={classes.filter(Boolean).join(" ")} tabIndex={-1}>
      {isFirst && !isOwn && <Avatar name={author} />}
      {isFirst && (
        <header>
          <b dir="auto" class={isOwn ? "visually-hidden" : ""}>{author}</b>{" "}
          {time}
        </header>
      )}
      <div class="line">
        <p class={`bubble ${isEmojiOnly(text) ? "jumbo" : ""}`} dir="auto">
          {replyTo && <QuoteBlock quote={replyTo} ui={ui} />}
          {deletedAt ? ui.t("messageDeleted") : withLinks(text, ui)}
        </p>
        {!isFirst && <span class="row-time">{time}</span>}
        <MessageMarks message={message} ui={ui} />
        {ui.isHydrated.value && message.messageId && !deletedAt && (
          <button
            type="button"
            class="icon-button more"
            // The log is one stop of the Tab key: Enter on a message opens its actions.
            tabIndex={-1}
            aria-label={ui.t("messageActions")}
            onClick={({ currentTarget: button }) => {
              ui.menu.value = { message, button };
            }}
          >
            <Icon name="more" />
          </button>
        )}
      </div>
      {reactions && <Reactions reactions={reactions} ui={ui} />}
      {status === "failed"
        ? (
          <small class="status" role="alert">
            <Later ui={ui}>
              {({ FailedMessage }) => (
                <FailedMessage
                  ui={ui}
                  id={message.clientMsgId}
                />
              )}
            </Later>
          </small>
        )
        : status && <small class="status">{ui.t(status)}</small>}
    </article>
  );
}

function withLinks(text: string, { extras }: Ui) {
  const show = (address: string): string => {
    const parts = extras.module.value;
    if (parts) return parts.shownAddress(address);
    // Until the code that tells a foreign host from a disguised one is there, both stand in punycode.
    extras.load().catch(() => {});
    return new URL(address.replace(/^www/i, "https://www")).href;
  };
  return linkify(text, show).map((part) =>
    part.href === undefined ? part.text : (
      // Its own direction: what stands around it does not turn it round.
      <a
        href={part.href}
        dir="ltr"
        target="_blank"
        rel="noopener noreferrer nofollow"
      >
        {part.text}
      </a>
    )
  );
}
