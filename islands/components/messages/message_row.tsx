import { isEmojiOnly, linkify } from "../../text/linkify.ts";
import { Avatar } from "../avatar.tsx";
import { Later } from "../later.tsx";
import type { Ui } from "../ui.ts";

export interface MessageRowProps {
  author: string;
  text: string;
  /** ISO 8601 */
  at: string;
  isOwn: boolean;
  /** First of its group: carries the author and the time. */
  isFirst: boolean;
  /** Absent once the server has it. */
  status?: "sending" | "queued" | "failed" | undefined;
  clientMsgId: string;
  ui: Ui;
}

/** One message, sent or on its way: the same element, so that being sent moves nothing. */
export function MessageRow(
  { author, text, at, isOwn, isFirst, status, clientMsgId, ui }:
    MessageRowProps,
) {
  const times = ui.times.value;
  const time = (
    <time dateTime={at} title={times.full(at)}>{times.clock(at)}</time>
  );
  const classes = ["message", isOwn && "own", isFirst && "first", status];
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
          {withLinks(text, ui)}
        </p>
        {!isFirst && <span class="row-time">{time}</span>}
      </div>
      {status === "failed"
        ? (
          <small class="status" role="alert">
            <Later ui={ui}>
              {({ FailedMessage }) => (
                <FailedMessage
                  ui={ui}
                  id={clientMsgId}
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
