/**
 * The messages of one room. The list is laid out from its end (`column-reverse`), so it stands at the
 * newest message before any script runs and stays there as messages come; what is read above stays
 * where it is to the pixel. At most `MAX_ROWS` messages are in the page, however long the room is.
 */

import { Component, createRef } from "preact";
import type { MessageNew } from "../../realtime/protocol.ts";
import type { RoomState } from "../client/room_state.ts";
import { type TimelineItem, timelineItems } from "../text/timeline_items.ts";
import { relativeDay } from "../text/times.ts";
import { Icon } from "./icon.tsx";
import { Later, withExtras } from "./later.tsx";
import { MessageRow } from "./message_row.tsx";
import type { Ui } from "./ui.ts";

/** Most messages in the page at once, and how far the window moves. */
const MAX_ROWS = 150;
const WINDOW_STEP = 50;

/** Nearer to the end than this counts as being there, in pixels: rounding, not reading. */
const END_PX = 2;

/** Nearer to the end than this nobody needs a button to get there, in pixels. */
const NEAR_END_PX = 100;

/** More messages are shown when the edge of the window is nearer than this, in pixels. */
const EDGE_PX = 600;

const NOTICES = {
  join: "joined",
  leave: "left",
  reset: "reloaded",
} as const;

/** What others may ask of the timeline that is shown. */
export interface TimelineHandle {
  /** Goes to the newest message. */
  jumpToEnd(): void;
}

interface TimelineProps {
  room: RoomState;
  ui: Ui;
  /** Filled while the timeline is in the page. Not `ref`: Preact sets that on elements only. */
  handle: { current: TimelineHandle | null };
}

interface TimelineState {
  /** `seq` of the first message in the window; undefined: the window follows the end. */
  top: number | undefined;
}

interface Anchor {
  element: Element;
  top: number;
}

export class Timeline extends Component<TimelineProps, TimelineState>
  implements TimelineHandle {
  override state: TimelineState = { top: undefined };
  readonly #log = createRef<HTMLDivElement>();
  /** Where the "new" line stands; fixed until the room is left or everything was read. */
  #firstUnread: number | undefined;
  #hadUnread = false;
  /** The first drawing of a room's messages is the one in which the line is put. */
  #isFirstView = true;
  /** Only who is at the end follows what comes. */
  #isAtEnd = true;
  #isFarFromEnd = false;
  /** Unread messages the user has not been taken to. */
  #missed = 0;
  /** `seq` of the newest message when the room was opened, and of the newest that was on the screen. */
  readonly #openedAt = this.props.room.store.position;
  #shownSeq = this.#openedAt;

  jumpToEnd(): void {
    this.#isAtEnd = true;
    this.#isFarFromEnd = false;
    this.#missed = 0;
    this.setState({ top: undefined }, () => {
      if (this.#log.current) this.#log.current.scrollTop = 0;
    });
  }

  /** Goes to where reading ended the last time. */
  #jumpToUnread(): void {
    const { room, ui } = this.props;
    withExtras(ui, async ({ oldestUnread, showUnread }) => {
      // What was unread before the messages held comes from the time when the room was opened.
      if (this.#firstUnread === room.store.messages[0]?.seq) {
        this.#firstUnread = await oldestUnread(
          ui.client,
          room,
          this.#missed,
          this.#openedAt,
        );
      }
      this.#isAtEnd = false;
      this.#isFarFromEnd = true;
      this.#missed = 0;
      this.setState({ top: this.#firstUnread }, () => {
        if (this.#log.current) showUnread(this.#log.current);
      });
    });
  }

  override componentDidMount(): void {
    this.props.handle.current = this;
    this.#settle(undefined);
  }

  override componentWillUnmount(): void {
    const { handle } = this.props;
    if (handle.current === this) handle.current = null;
  }

  /** Whether the user sees the newest message: then what comes is read at once. */
  get #isReading(): boolean {
    return this.#isAtEnd && typeof document !== "undefined" &&
      document.hasFocus() &&
      document.visibilityState === "visible";
  }

  override getSnapshotBeforeUpdate(): Anchor | undefined {
    const log = this.#log.current;
    if (log === null || this.#isAtEnd) return undefined;
    for (const element of log.querySelectorAll(".message")) {
      const { bottom, top } = element.getBoundingClientRect();
      if (bottom > topOf(log)) return { element, top };
    }
  }

  override componentDidUpdate(
    _props: TimelineProps,
    _state: TimelineState,
    anchor: Anchor | undefined,
  ): void {
    this.#settle(anchor);
  }

  /** Keeps what is read in its place and, when that is the end, marks it read. */
  #settle(anchor: Anchor | undefined): void {
    const { room, ui } = this.props;
    const log = this.#log.current;
    // The end keeps its place by itself: the list is laid out from there.
    if (log !== null && anchor?.element.isConnected) {
      const moved = topOf(anchor.element) - anchor.top;
      // Writing the position, even the same, would end the browser's own smooth scrolling.
      if (moved !== 0) log.scrollTop += moved;
    }
    this.#markAbove();
    if (this.#isReading && room.isLoaded) ui.client.markRead(room.room.id);
  }

  /** Tells the styles whether the "new" line lies above what is seen. */
  #markAbove(): void {
    const log = this.#log.current;
    // The line itself stays at the top then; what follows it does not.
    const next = log?.querySelector(".new-line + *");
    log?.classList.toggle("above", !!next && topOf(next) < topOf(log));
  }

  override render({ room, ui }: TimelineProps) {
    const { t, times } = ui;
    const { messages, hasOlder } = room.store;
    const [start, end] = this.#window();
    this.#moveUnreadLine();
    if (this.#isAtEnd) this.#shownSeq = room.store.position;
    const shown = messages.slice(start, end);
    const isWithEnd = ui.isHydrated && end === messages.length;
    // One list with the messages on their way: each stays the same element when it has been sent.
    if (isWithEnd) shown.push(...this.#pending(shown));
    const items = timelineItems(shown, {
      notices: isWithEnd ? room.notices : [],
      firstUnread: this.#firstUnread,
      times,
    });
    const isEmpty = messages.length === 0 && room.isLoaded;
    return (
      <div class="timeline">
        <div
          class="log"
          id="messages"
          role="log"
          aria-label={t("messages")}
          // What is worth hearing, `Announcer` says.
          aria-live="off"
          tabIndex={0}
          ref={this.#log}
          onScroll={() => this.#scrolled()}
          onKeyDown={(event) => this.#keyPressed(event)}
        >
          <div class="log-inner">
            {!room.isLoaded
              ? room.isLoading && <p class="skeleton">{t("loading")}</p>
              : start > 0 || hasOlder
              ? (
                <button
                  type="button"
                  class="older"
                  aria-busy={`${room.isLoading}`}
                  onClick={() => this.#showOlder()}
                >
                  {t(room.isLoading ? "loading" : "loadOlder")}
                </button>
              )
              : !isEmpty &&
                (
                  <p class="beginning">
                    {t("beginning", { name: room.room.name })}
                  </p>
                )}
            {room.loadError && (
              <p class="load-error" role="alert">
                {t("loadFailed")}{" "}
                <button type="button" onClick={() => this.#reload()}>
                  {t("tryAgain")}
                </button>
              </p>
            )}
            {items.map((item) => this.#item(item))}
            {isEmpty && shown.length === 0 &&
              <p class="empty">{t("noMessages")}</p>}
          </div>
        </div>
        {this.#jumpButton()}
        {room.store.position > this.#openedAt && (
          <Later ui={ui}>
            {({ Announcer }) => (
              <Announcer ui={ui} room={room} from={this.#openedAt} />
            )}
          </Later>
        )}
      </div>
    );
  }

  #window(): [start: number, end: number] {
    const { messages } = this.props.room.store;
    const { top } = this.state;
    const count = messages.length;
    if (top === undefined) return [Math.max(0, count - MAX_ROWS), count];
    const start = Math.min(Math.max(0, top - (messages[0]?.seq ?? 0)), count);
    return [start, Math.min(count, start + MAX_ROWS)];
  }

  #moveUnreadLine(): void {
    const { room, ui } = this.props;
    if (!room.isLoaded) return;
    const hasUnread = room.unread > 0;
    const isNew = hasUnread && !this.#hadUnread && !this.#isReading;
    if (isNew || this.#isFirstView) {
      this.#firstUnread = room.firstUnreadSeq(ui.client.user);
      this.#missed = room.unread;
    }
    this.#isFirstView = false;
    this.#hadUnread = hasUnread && !this.#isReading;
  }

  #item(item: TimelineItem) {
    const { t, times, client } = this.props.ui;
    switch (item.kind) {
      case "day": {
        const relative = relativeDay(times, item.day, client.now());
        return (
          <p class="day" key={item.day}>
            <time dateTime={item.day}>
              {relative ? t(relative) : times.dayName(item.at, client.now())}
            </time>
          </p>
        );
      }
      case "new":
        return (
          <p class="new-line" key="new">
            <span>{t("newMessages")}</span>
            {this.#missed > 0 && (
              <button
                type="button"
                class="jump fresh"
                onClick={() => this.#jumpToUnread()}
              >
                <Icon name="arrowUp" />
                {t("jumpToUnread")}
              </button>
            )}
          </p>
        );
      case "notice": {
        const { type, user, createdAt } = item.notice;
        const text = t(NOTICES[type], { name: user.username });
        return <p class="notice" key={`${createdAt}${user.id}`}>{text}</p>;
      }
      case "message":
        return this.#message(item.message, item.isFirst);
    }
  }

  #message(message: MessageNew, isFirst: boolean) {
    const { ui } = this.props;
    const { sender, text, createdAt, clientMsgId, messageId } = message;
    const isOwn = sender.id === ui.client.user.id;
    return (
      <MessageRow
        key={isOwn ? clientMsgId : messageId}
        author={sender.username}
        at={createdAt}
        status={messageId ? undefined : this.#status(clientMsgId)}
        {...{ text, isOwn, isFirst, clientMsgId, ui }}
      />
    );
  }

  /** What is in the outbox and not among `messages`, as messages that have no id yet. */
  #pending(messages: readonly MessageNew[]): MessageNew[] {
    const { room: { room }, ui: { client } } = this.props;
    const known = new Set(messages.map(({ clientMsgId }) => clientMsgId));
    return client.outbox.entries(room.id)
      .filter(({ clientMsgId }) => !known.has(clientMsgId))
      .map(({ clientMsgId, roomId, text, queuedAt }) => {
        const createdAt = new Date(queuedAt).toISOString();
        const last = messages.at(-1)?.createdAt ?? "";
        return {
          messageId: "",
          roomId,
          seq: Infinity,
          text,
          // Our clock may be behind the server's: what was written last still stands last.
          createdAt: createdAt > last ? createdAt : last,
          clientMsgId,
          sender: client.user,
        };
      });
  }

  #status(clientMsgId: string) {
    const { room, ui: { client } } = this.props;
    const entry = client.outbox.get(clientMsgId);
    if (!entry || entry.isSent) return undefined;
    if (entry.failed) return "failed";
    const isSending = client.connection.state.phase === "live" &&
      room.mutedUntil <= client.now();
    return isSending ? "sending" : "queued";
  }

  #jumpButton() {
    const { room, ui: { client, t } } = this.props;
    const n =
      room.store.messages.filter(({ seq, sender }) =>
        seq > this.#shownSeq && sender.id !== client.user.id
      ).length;
    if (this.#isAtEnd || n === 0 && !this.#isFarFromEnd) return null;
    return (
      <button
        type="button"
        class={`jump ${n > 0 ? "fresh" : ""}`}
        onClick={() => {
          this.jumpToEnd();
          // The button goes.
          this.#log.current?.focus();
        }}
      >
        <Icon name="arrowDown" />
        {n > 0 ? t("newBelow", { n }) : t("jumpToLatest")}
      </button>
    );
  }

  #scrolled(): void {
    const log = this.#log.current;
    if (log === null) return;
    this.#markAbove();
    const { messages } = this.props.room.store;
    const [start, end] = this.#window();
    const below = -log.scrollTop;
    const above = log.scrollHeight - log.clientHeight - below;
    const isWithEnd = end === messages.length;
    const isAtEnd = isWithEnd && below <= END_PX;
    const isFarFromEnd = !isWithEnd || below > NEAR_END_PX;
    if (isFarFromEnd !== this.#isFarFromEnd) {
      this.#isFarFromEnd = isFarFromEnd;
      this.setState({});
    }
    if (isAtEnd !== this.#isAtEnd) {
      this.#isAtEnd = isAtEnd;
      // From here on the window stands still; at the end it follows again.
      this.setState({ top: isAtEnd ? undefined : messages[start]?.seq });
      withExtras(this.props.ui, ({ keepPlace }) => keepPlace(log));
    } else if (above < EDGE_PX && !isAtEnd) this.#showOlder();
    else if (below < EDGE_PX && end < messages.length) {
      this.setState({ top: messages[start + WINDOW_STEP]?.seq });
    }
  }

  async #showOlder(): Promise<void> {
    const { room, ui } = this.props;
    const [start] = this.#window();
    if (
      start === 0 && room.store.hasOlder && !room.isLoading && !room.loadError
    ) {
      this.#isAtEnd = false;
      this.setState({ top: room.store.messages[0]?.seq });
      await ui.client.rooms.loadOlder(room);
    }
    const { messages } = room.store;
    const shown = this.#window()[0];
    if (shown > 0) {
      this.#isAtEnd = false;
      this.setState({ top: messages[Math.max(0, shown - WINDOW_STEP)]?.seq });
    }
  }

  #reload(): void {
    const { room, ui: { client } } = this.props;
    room.loadError = undefined;
    if (room.isLoaded) this.#showOlder();
    else client.rooms.open(room);
    // The button goes.
    this.#log.current?.focus();
  }

  /** The log is one stop of the Tab key; inside, the arrow keys go from message to message. */
  #keyPressed(event: KeyboardEvent): void {
    const { key, target } = event;
    const log = this.#log.current;
    if (
      log === null || event.ctrlKey || event.metaKey || event.altKey ||
      !/^(Arrow(Up|Down)|Home|End)$/.test(key) ||
      target !== log && !(target as Element).matches(".message")
    ) return;
    event.preventDefault();
    withExtras(this.props.ui, ({ focusMessage }) => focusMessage(log, key));
  }
}

function topOf(element: Element): number {
  return element.getBoundingClientRect().top;
}
