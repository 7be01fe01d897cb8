/** Every text of the interface, in English. The other languages have the same keys. */

/** One text, or one per plural category of the language (`Intl.PluralRules`). */
export type Text = string | { readonly one: string; readonly other: string };

export const en = {
  appTagline: "Rooms for talking things over, in real time.",
  skipToMessages: "Skip to messages",

  signInTitle: "Sign in",
  signInLead:
    "No password: pick a name, confirm it with a code, and you are in.",
  username: "Username",
  email: "E-mail",
  emailHint: "Needed the first time you sign in. Later codes go to it.",
  codeMailed: "The code is on its way to this name’s e-mail address.",
  badUsernameOrEmail:
    "A username has 3 to 20 letters, digits or underscores. Check the e-mail address, too.",
  usernameHint: "3 to 20 letters, digits or underscores.",
  continue: "Continue",
  code: "Code",
  codeLead: "Enter the six-digit code for {name}.",
  codeShown: "Demo mode: your code is",
  codeInLog: "The code was written to the server’s log.",
  signIn: "Sign in",
  otherName: "Use another name",
  badUsername: "Use 3 to 20 letters (a–z), digits or underscores.",
  badCode: "That code is not right. Check it, or ask for a new one.",
  tooManyTries: "Too many tries. Wait a little, then try again.",
  unreachable:
    "The server cannot be reached. Check your network and try again.",
  failed: "Something went wrong. Try again.",

  rooms: "Rooms",
  noRooms: "You are in no room yet. Discover one, or create your own.",
  discover: "Discover rooms",
  discoverLead:
    "Every room is open to everyone here. Join one, or start your own.",
  findRoom: "Find a room",
  search: "Search",
  noRoomFound: "No room has that name. Create it?",
  noOtherRooms: "There are no rooms yet. Create the first one.",
  roomName: "Room name",
  createRoom: "Create room",
  join: "Join",
  joinRoom: "Join room",
  open: "Open",
  notMember: "You are not in this room. Join it to read and write.",
  roomMissing: "There is no such room.",
  backToRooms: "Back to rooms",
  roomNameTaken: "A room with this name exists already.",
  badRoomName: "A room’s name has 3 to 40 characters.",
  memberCount: { one: "{n} member", other: "{n} members" },
  unreadCount: { one: "{n} unread message", other: "{n} unread messages" },
  draft: "Draft",
  switchRoom: "Jump to a room",
  switchHint: "Type a name, choose with ↑ ↓, open with Enter.",
  noMatch: "None of your rooms matches.",
  close: "Close",

  members: "Members",
  onlineCount: "{n} online",
  online: "online",
  offline: "offline",
  you: "you",
  moreMembers: { one: "and {n} more", other: "and {n} more" },
  leaveRoom: "Leave room",
  leaveTitle: "Leave {name}?",
  leaveLead:
    "You will no longer get its messages. You can join again at any time.",
  cancel: "Cancel",

  messages: "Messages",
  noMessages: "Nothing has been said here yet. Say hello!",
  beginning: "This is where {name} begins.",
  loadOlder: "Load older messages",
  loading: "Loading…",
  loadFailed: "The messages could not be loaded.",
  tryAgain: "Try again",
  newMessages: "New messages",
  newBelow: { one: "{n} new message", other: "{n} new messages" },
  jumpToLatest: "Jump to latest",
  today: "Today",
  yesterday: "Yesterday",
  joined: "{name} joined",
  left: "{name} left",

  message: "Message",
  writeTo: "Write to {name}",
  send: "Send",
  charactersLeft: { one: "{n} character left", other: "{n} characters left" },
  charactersOver: {
    one: "{n} character too many",
    other: "{n} characters too many",
  },
  mutedFor: {
    one: "You are sending too fast. What you write is sent in {n} second.",
    other: "You are sending too fast. What you write is sent in {n} seconds.",
  },
  sendingTooFast:
    "You are sending too fast. Wait half a minute, then send it again.",
  sending: "Sending",
  queued: "Waiting to be sent",
  notSent: "Not sent",
  refusedNotMember: "you are no longer in this room",
  refusedNoRoom: "the room no longer exists",
  refusedBad: "the message is not acceptable",
  retry: "Retry",
  retryAll: "Retry all",
  copy: "Copy",
  delete: "Delete",
  typingOne: "{a} is typing",
  typingTwo: "{a} and {b} are typing",
  typingMany: "Several people are typing",

  connection: "Connection",
  connected: "Connected",
  connecting: "Connecting…",
  catchingUp: "Catching up…",
  retryingIn: "Connection lost. Trying again in {n} s",
  youAreOffline: "You are offline. What you write is kept and sent later.",
  gaveUp: "The connection could not be restored.",
  removed: "The server has ended this connection.",
  signedOut: "Your session has ended. What you wrote is kept.",
  fallback: "Connected in compatibility mode: WebSockets are blocked here.",
  tryNow: "Try now",
  reconnect: "Reconnect",
  signInAgain: "Sign in again",

  account: "Account",
  theme: "Theme",
  themeSystem: "System",
  themeLight: "Light",
  themeDark: "Dark",
  language: "Language",
  logOut: "Log out",

  pageNotFound: "There is nothing here.",
} satisfies Record<string, Text>;

export type Strings = {
  readonly [K in keyof typeof en]: (typeof en)[K] extends string ? string
    : Text;
};
