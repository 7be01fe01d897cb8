import { isEmojiOnly, linkify } from "../text/linkify.ts";
import type { Times } from "../text/times.ts";
import type { Translate } from "../text/translate.ts";
import type { ChatClient } from "../client/chat_client.ts";
import { Avatar } from "./avatar.tsx";
import { Later } from "./later.tsx";
import { PureComponent } from "./ui.ts";

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
  client: ChatClient;
  t: Translate;
  times: Times;
}

/** One message, sent or on its way: the same element, so that being sent moves nothing. */
export class MessageRow extends PureComponent<MessageRowProps> {
  override render(
    { author, text, at, isOwn, isFirst, status, t, times }: MessageRowProps,
  ) {
    const time = (
      <time dateTime={at} title={times.full(at)}>{times.clock(at)}</time>
    );
    const classes = ["message", isOwn && "own", isFirst && "first", status];
    return (
      <article class={classes.filter(Boolean).join(" ")} tabIndex={-1}>
        {isFirst && !isOwn && <Avatar name={author} />}
        {isFirst && (
          <header>
            <b dir="auto" class={isOwn ? "visually-hidden" : ""}>{author}</b>
            {" "}
            {time}
          </header>
        )}
        <div class="line">
          <p class={`bubble ${isEmojiOnly(text) ? "jumbo" : ""}`} dir="auto">
            {withLinks(text)}
          </p>
          {!isFirst && <span class="row-time" aria-hidden="true">{time}</span>}
        </div>
        {status !== undefined && this.#status(status, t)}
      </article>
    );
  }

  #status(status: NonNullable<MessageRowProps["status"]>, t: Translate) {
    if (status !== "failed") return <small class="status">{t(status)}</small>;
    const { client, clientMsgId } = this.props;
    return (
      <small class="status" role="alert">
        <Later>
          {({ FailedMessage }) => (
            <FailedMessage outbox={client.outbox} id={clientMsgId} />
          )}
        </Later>
      </small>
    );
  }
}

function withLinks(text: string) {
  return linkify(text).map((part) =>
    part.href === undefined
      ? part.text
      : (
        <a href={part.href} target="_blank" rel="noopener noreferrer nofollow">
          {part.text}
        </a>
      )
  );
}
