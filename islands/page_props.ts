/** What the server hands to the page: it stands in the HTML as JSON and makes the first drawing. */

import type { UserRef } from "../realtime/protocol/protocol.ts";
import type { Room } from "./client/api.ts";
import type { ChatClientOptions } from "./client/chat_client.ts";
import type { MessageLimit } from "./client/messages/send_pace.ts";
import type { Strings } from "./strings/en.ts";

export type Theme = "light" | "dark" | "system";

/** Whether the line that says who is typing is seen. */
export type TypingLine = "shown" | "hidden";

export interface PageLanguage {
  lang: "en" | "tr";
  /** BCP 47, for dates and numbers; may name a region, e.g. `en-GB`. */
  locale: string;
  strings: Strings;
}

export interface ChatPageProps extends PageLanguage {
  user: UserRef;
  /** The most recently active of the user's rooms, and the open one. */
  rooms: Room[];
  /** Whether the user is in no other rooms. */
  hasAllRooms: boolean;
  /** The query of the page with the next ones, from its `?` on. */
  moreRooms?: string | undefined;
  /** `/`, `/discover` or `/rooms/:id` */
  path: string;
  /** The room of the path, also when the user is no member; absent when there is none. */
  room?: Room | undefined;
  /** The newest messages of the path's room and who is in it, when the user is a member. */
  opened?: ChatClientOptions["opened"];
  /** Rooms to discover, with the search they answer. */
  found?: Room[] | undefined;
  query?: string | undefined;
  /** IANA name the times in the HTML are in; the browser's own takes over after the first drawing. */
  timeZone: string;
  theme: Theme;
  typing: TypingLine;
  /** How many messages a user may send to a room. */
  messageLimit: MessageLimit;
  /** Client id of the message the form without script would post. */
  formMessageId: string;
  /** What a form without script was refused for. */
  problem?: keyof Strings | undefined;
}

export interface LoginPageProps extends PageLanguage {
  /** Whether codes go by e-mail: the first sign-in under a name gives the address. */
  asksEmail: boolean;
  /** Where to go after signing in; a path on this site. */
  next: string;
  /** Set in the second step of the form without script. */
  username?: string | undefined;
  /** The code itself, where the server delivers it in its answer. */
  code?: string | undefined;
  problem?: keyof Strings | undefined;
}
