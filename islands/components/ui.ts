/** What the parts of the chat page have in common. */

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { ComponentChild, FunctionComponent } from "preact";
import type { Room } from "../client/api.ts";
import type { ChatClient } from "../client/chat_client.ts";
import type { EventStreamSettings } from "../client/connection/event_stream_transport.ts";
import type { ProbingOptions } from "../client/connection/probing_transport.ts";
import type { RoomState } from "../client/rooms/room_state.ts";
import type { Message } from "../../realtime/protocol/protocol.ts";
import type { OpenTransport } from "../client/connection/transport.ts";
import type { ChatPageProps } from "../page_props.ts";
import type { Strings } from "../strings/en.ts";
import type { Times } from "../text/times.ts";
import type { Translate } from "../text/translate.ts";

/** What every part needs: the client, the texts, the times. One object for the life of the page. */
export interface Ui {
  readonly client: ChatClient;
  readonly t: Translate;
  /** In the browser's time zone once `isHydrated`. */
  readonly times: ReadonlySignal<Times>;
  /** The local day, as `Times.day` names it. */
  readonly today: ReadonlySignal<string>;
  /** What is shown: a path of the chat. */
  readonly path: Signal<string>;
  /** Goes to a path of the chat without loading a page. */
  readonly navigate: (path: string) => void;
  /** The dialog that is open. */
  readonly dialog: Signal<DialogName | undefined>;
  /** The message whose actions are shown, and the button that showed them. */
  readonly menu: Signal<{ message: Message; button: HTMLElement } | undefined>;
  /** False while the drawing must equal the server's: before the browser's own state is shown. */
  readonly isHydrated: Signal<boolean>;
  /** What is not needed to show a room. */
  readonly extras: Extras;
  readonly surroundings: Surroundings;
}

/** What is to be said although the connection is well: key of the text. */
export type Note = "outdated" | "fallback" | false;

/** What the browser around the page says. */
export interface Surroundings {
  readonly note: ReadonlySignal<Note>;
  /** Counts how often the page was shown, hidden or given the focus. */
  readonly looks: Signal<number>;
  /** The time of day as of the last minute, in milliseconds since the epoch. */
  readonly minute: Signal<number>;
}

/** Parts of the page that are fetched when they are first needed. */
export interface Extras {
  /** Undefined until `load` is through. */
  readonly module: Signal<LateParts | undefined>;
  load: () => Promise<LateParts>;
}

/** The timeline, as what scrolls it sees it. */
export interface ScrolledTimeline {
  readonly room: RoomState;
  readonly ui: Ui;
  /** Null when another room is shown. */
  readonly log: HTMLElement | null;
  /** Indexes into the held messages: what is in the page. */
  readonly shown: [start: number, end: number];
  isAtEnd: boolean;
  isFarFromEnd: boolean;
  /** Unread messages the user has not been taken to. */
  missed: number;
  /** `showFrom` is not drawn yet: `log` still measures what was in the page before. */
  readonly isMoving: boolean;
  /** Draws from the message with this `seq` on; undefined: the newest ones. */
  showFrom(seq: number | undefined, drawn?: () => void): void;
}

/** Dialogs that a key or a button opens. */
export type DialogName = "switcher" | "shortcuts";

type Part<P> = FunctionComponent<{ ui: Ui } & P>;

/**
 * The exports of `extras.ts`. They are spelled out here, so that a component can name a late part
 * without importing it: that one imports this file in turn.
 */
export interface LateParts {
  Announcer: Part<{ room: RoomState; from: number }>;
  DIALOGS: Record<DialogName, Part<{ onClose: () => void }>>;
  ComposerHints: Part<{
    state: RoomState;
    page: ChatPageProps;
    left: number;
    fault: keyof Strings | undefined;
  }>;
  FailedMessage: Part<{ id: string }>;
  JumpButton: FunctionComponent<
    { view: ScrolledTimeline; shownSeq: number; onJump: () => void }
  >;
  LeaveDialog: Part<{ room: Room; onClose: () => void }>;
  LoadError: FunctionComponent<{ view: ScrolledTimeline }>;
  Lobby: Part<
    { found: Room[] | undefined; query: string; heading: "h1" | "h2" }
  >;
  ComposingBar: Part<{ state: RoomState; onStop: () => void }>;
  MessageMenu: Part<{ state: RoomState }>;
  MoreMembers: Part<{ room: RoomState }>;
  OtherRoom: Part<
    { id: string; known: Room | undefined; isMissing: boolean }
  >;
  Remedy: Part<{ note: Note }>;
  announce: (title: string, unread: number) => void;
  beginOutside: (onUpdate: () => void) => void;
  connectionText: (ui: Ui, note: Note) => ComponentChild;
  createRoom: (ui: Ui, form: HTMLFormElement) => Promise<void>;
  edit: (ui: Ui, state: RoomState, message: Message, text: string) => void;
  editLast: (ui: Ui, state: RoomState) => void;
  eventStreamTransport: (options: EventStreamSettings) => OpenTransport;
  focusMessage: (log: Element, key: string) => void;
  jumpToUnread: (view: ScrolledTimeline, seq: number) => Promise<void>;
  lookForUpdate: () => void;
  placeFocus: (path: string, from: string) => void;
  probingTransport: (options: ProbingOptions) => OpenTransport;
  runShortcut: (event: KeyboardEvent, ui: Ui) => void;
  scrolled: (view: ScrolledTimeline) => void;
  showNewest: (view: ScrolledTimeline) => Promise<void>;
  showOlder: (view: ScrolledTimeline) => Promise<void>;
  shownAddress: (address: string) => string;
}
