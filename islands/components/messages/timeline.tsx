/**
 * The messages of one room. The list is laid out from its end (`column-reverse`), so it stands at the
 * newest message before any script runs and stays there as messages come; what is read above stays
 * where it is to the pixel. At most `MAX_ROWS` messages are in the page, however long the room is.
 * What scrolling does, `timeline_scroll.ts` knows.
 */

import { Component, createRef } from "preact";
import type { RoomState } from "../../client/rooms/room_state.ts";
import { timelineItems } from "../../text/timeline_items.ts";
import { Later, withExtras } from "../later.tsx";
import {
  pendingMessages,
  timelineHead,
  timelineRow,
} from "./timeline_rows.tsx";
import type { ScrolledTimeline, Ui } from "../ui.ts";

/** Most messages in the page at once. */
const MAX_ROWS = 150;

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

interface Anchor {
  element: Element;
  top: number;
}

export class Timeline extends Component<TimelineProps>
  implements TimelineHandle, ScrolledTimeline {
  /** Only who is at the end follows what comes. */
  isAtEnd = true;
  isFarFromEnd = false;
  missed = 0;
  isMoving = false;
  readonly #log = createRef<HTMLDivElement>();
  /** Where the "new" line stands; fixed until the room is left or everything was read. */
  #firstUnread: number | undefined;
  #hadUnread = false;
  /** The first drawing of a room's messages is the one in which the line is put. */
  #isFirstView = true;
  /** The next drawing goes to another place. */
  #isJumping = false;
  /** `seq` of the newest message when the room was opened, and of the newest that was on the screen. */
  readonly #openedAt = this.props.room.store.position;
  #shownSeq = this.#openedAt;

  get room(): RoomState {
    return this.props.room;
  }

  get ui(): Ui {
    return this.props.ui;
  }

  get log(): HTMLElement | null {
    return this.#log.current;
  }

  get shown(): [start: number, end: number] {
    const { store: { messages }, reading } = this.room;
    const count = messages.length;
    if (reading === undefined) return [Math.max(0, count - MAX_ROWS), count];
    const top = reading - (messages[0]?.seq ?? 0);
    const start = Math.min(Math.max(0, top), count);
    return [start, Math.min(count, start + MAX_ROWS)];
  }

  showFrom(seq: number | undefined, drawn?: () => void): void {
    this.room.reading = seq;
    this.isMoving = true;
    this.#isJumping = drawn !== undefined;
    this.forceUpdate(drawn);
  }

  jumpToEnd(): void {
    this.isAtEnd = true;
    this.isFarFromEnd = false;
    this.missed = 0;
    this.showFrom(undefined, () => {
      if (this.log) this.log.scrollTop = 0;
    });
    if (this.room.store.hasNewer) {
      withExtras(this.ui, ({ showNewest }) => showNewest(this));
    }
  }

  readonly #jumpToUnread = () =>
    withExtras(
      this.ui,
      ({ jumpToUnread }) => jumpToUnread(this, this.#firstUnread ?? 0),
    );

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
    return this.isAtEnd && typeof document !== "undefined" &&
      document.hasFocus() &&
      document.visibilityState === "visible";
  }

  override getSnapshotBeforeUpdate(): Anchor | undefined {
    const log = this.#log.current;
    const isJumping = this.#isJumping;
    this.#isJumping = false;
    if (log === null || this.isAtEnd || isJumping) return undefined;
    for (const element of log.querySelectorAll(".message")) {
      const { bottom, top } = element.getBoundingClientRect();
      if (bottom > topOf(log)) return { element, top };
    }
  }

  override componentDidUpdate(
    _props: TimelineProps,
    _state: object,
    anchor: Anchor | undefined,
  ): void {
    this.#settle(anchor);
  }

  /** Keeps what is read in its place and, when that is the end, marks it read. */
  #settle(anchor: Anchor | undefined): void {
    const { room, ui } = this.props;
    const log = this.#log.current;
    this.isMoving = false;
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
    const { t } = ui;
    // After this is drawn it may count as read: when the page is looked at, and when the line is back.
    ui.surroundings.looks.value;
    ui.client.connection.isLive;
    const { messages, hasNewer } = room.store;
    const [start, end] = this.shown;
    this.#moveUnreadLine();
    if (this.isAtEnd) this.#shownSeq = room.store.position;
    const shown = messages.slice(start, end);
    const isWithEnd = ui.isHydrated.value && end === messages.length &&
      !hasNewer;
    // One list with the messages on their way: each stays the same element when it has been sent.
    if (isWithEnd) shown.push(...pendingMessages(room, ui, shown));
    const items = timelineItems(shown, {
      notices: isWithEnd ? room.notices : [],
      firstUnread: this.#lineAt(shown[0]?.seq ?? 0),
      times: ui.times.value,
    });
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
          onScroll={() => {
            this.#markAbove();
            withExtras(ui, ({ scrolled }) => scrolled(this));
          }}
          onKeyDown={(event) => this.#keyPressed(event)}
        >
          <div class="log-inner">
            {timelineHead(this)}
            {items.map((item) =>
              timelineRow(
                item,
                room,
                ui,
                this.missed > 0 ? this.#jumpToUnread : undefined,
              )
            )}
            {room.isLoaded && shown.length === 0 &&
              <p class="empty">{t("noMessages")}</p>}
          </div>
        </div>
        {!this.isAtEnd && (
          <Later ui={ui}>
            {({ JumpButton }) => (
              <JumpButton
                view={this}
                // Another one with each drawing: what it shows depends on where the log is scrolled to.
                onJump={() => this.jumpToEnd()}
                shownSeq={this.#shownSeq}
              />
            )}
          </Later>
        )}
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

  /** Where the line is drawn: what is in the page may begin after it, and is all new then. */
  #lineAt(first: number): number | undefined {
    const line = this.#firstUnread;
    return line !== undefined && line < first && this.missed > 0 ? first : line;
  }

  #moveUnreadLine(): void {
    const { room, ui } = this.props;
    if (!room.isLoaded) return;
    const hasUnread = room.unread > 0;
    const isNew = hasUnread && !this.#hadUnread && !this.#isReading;
    if (isNew || this.#isFirstView) {
      this.#firstUnread = room.firstUnreadSeq(ui.client.user);
      this.missed = room.unread;
    }
    this.#isFirstView = false;
    this.#hadUnread = hasUnread && !this.#isReading;
  }

  /** The log is one stop of the Tab key; inside, the arrow keys go from message to message. */
  #keyPressed(event: KeyboardEvent): void {
    const { key, target } = event;
    const log = this.#log.current;
    if (
      log === null || event.ctrlKey || event.metaKey || event.altKey ||
      !/^(Arrow(Up|Down)|Home|End|Enter)$/.test(key) ||
      target !== log && !(target as Element).matches(".message")
    ) return;
    event.preventDefault();
    withExtras(this.props.ui, ({ focusMessage }) => focusMessage(log, key));
  }
}

function topOf(element: Element): number {
  return element.getBoundingClientRect().top;
}
