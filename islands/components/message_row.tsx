import { isEmojiOnly, linkify } from "../text/linkify.ts";
import { Avatar } from "./avatar.tsx";
import { Later, withExtras } from "./later.tsx";
import { PureComponent, type Ui } from "./ui.ts";

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
export class MessageRow extends PureComponent<MessageRowProps> {
  /** What can be done about a failed message depends on the others. */
  override shouldComponentUpdate(next: MessageRowProps): boolean {
    return next.status === "failed" || super.shouldComponentUpdate(next);
  }

  override render(
    { author, text, at, isOwn, isFirst, status, ui }: MessageRowProps,
  ) {
    const { times } = ui;
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
            {this.#withLinks(text)}
          </p>
          {!isFirst && <span class="row-time">{time}</span>}
        </div>
        {status !== undefined && this.#status(status)}
      </article>
    );
  }

  #status(status: NonNullable<MessageRowProps["status"]>) {
    const { clientMsgId, ui } = this.props;
    if (status !== "failed") {
      return <small class="status">{ui.t(status)}</small>;
    }
    return (
      <small class="status" role="alert">
        <Later ui={ui}>
          {({ FailedMessage }) => <FailedMessage ui={ui} id={clientMsgId} />}
        </Later>
      </small>
    );
  }

  #withLinks(text: string) {
    return linkify(text, this.#show).map((part) =>
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

  /** Until the code that tells a foreign host from a disguised one is there, both stand in punycode. */
  readonly #show = (address: string): string => {
    const { ui } = this.props;
    const { module } = ui.extras;
    if (module) return module.shownAddress(address);
    withExtras(ui, () => this.forceUpdate());
    return new URL(address.replace(/^www/i, "https://www")).href;
  };
}
