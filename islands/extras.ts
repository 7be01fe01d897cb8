/**
 * What the page does without until it is asked for, in one file of its own: fewer, larger files
 * compress better.
 */

export { eventStreamTransport } from "./client/event_stream_transport.ts";
export { probingTransport } from "./client/probing_transport.ts";
export { Announcer } from "./components/announcer.tsx";
export { connectionText, Remedy } from "./components/connection_words.tsx";
export { ComposerHints } from "./components/composer_hints.tsx";
export { FailedMessage } from "./components/failed_message.tsx";
export { LeaveDialog } from "./components/leave_dialog.tsx";
export { LoadError } from "./components/load_error.tsx";
export { Lobby, OtherRoom } from "./components/lobby.tsx";
export { MoreMembers } from "./components/more_members.tsx";
export { JumpButton } from "./components/jump_button.tsx";
export { createRoom } from "./components/new_room.ts";
export { placeFocus } from "./focus.ts";
export { shownAddress } from "./text/shown_address.ts";
export { announce, beginOutside, lookForUpdate } from "./outside.ts";
export { DIALOGS, focusMessage, runShortcut } from "./shortcuts.ts";
export {
  jumpToUnread,
  scrolled,
  showNewest,
  showOlder,
} from "./timeline_scroll.ts";
