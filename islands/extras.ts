/**
 * What the page does without until it is asked for, in one file of its own: fewer, larger files
 * compress better.
 */

export { eventStreamTransport } from "./client/connection/event_stream_transport.ts";
export { probingTransport } from "./client/connection/probing_transport.ts";
export { Announcer } from "./components/messages/announcer.tsx";
export {
  connectionText,
  Remedy,
} from "./components/connection/connection_words.tsx";
export { edit, editLast } from "./components/messages/editing.ts";
export { ComposingBar } from "./components/messages/composing_bar.tsx";
export { MessageMenu } from "./components/messages/message_menu.tsx";
export { ComposerHints } from "./components/messages/composer_hints.tsx";
export { FailedMessage } from "./components/messages/failed_message.tsx";
export { LeaveDialog } from "./components/membership/leave_dialog.tsx";
export { LoadError } from "./components/messages/load_error.tsx";
export { Lobby, OtherRoom } from "./components/rooms/lobby.tsx";
export { MoreMembers } from "./components/membership/more_members.tsx";
export { JumpButton } from "./components/messages/jump_button.tsx";
export { createRoom } from "./components/rooms/new_room.ts";
export { placeFocus } from "./focus.ts";
export { shownAddress } from "./text/shown_address.ts";
export { announce, beginOutside, lookForUpdate } from "./outside.ts";
export { DIALOGS, focusMessage, runShortcut } from "./shortcuts.ts";
export {
  jumpToUnread,
  scrolled,
  showNewest,
  showOlder,
} from "./components/messages/timeline_scroll.ts";
