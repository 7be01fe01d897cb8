import type { MemberRoom } from "../../db/memberships.ts";
import type { ChangeMessages } from "../changes/change_messages.ts";
import type { PostMessage } from "../messages/post_message.ts";
import type { Typing } from "../presence/typing.ts";
import type { ReadMarkers } from "../read_markers/read_markers.ts";
import type { CatchUp } from "../rooms/catch_up.ts";
import type { Hub } from "../rooms/hub.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** What the event handlers work with. */
export interface HandlerParts {
  connections: ConnectionRegistry;
  hub: Hub;
  catchUp: CatchUp;
  postMessage: PostMessage;
  changeMessages: Pick<ChangeMessages, "change">;
  typing: Typing;
  readMarkers: ReadMarkers;
  /** Of these rooms, those the user is a member of. */
  memberRooms: (userId: string, roomIds: string[]) => Promise<MemberRoom[]>;
  /** Names the history that the database has. */
  history: { readonly epoch: string };
  roomExists: (roomId: string) => Promise<boolean>;
  /** Whether the process is stopping: what is accepted now could not be finished. */
  isDraining: () => boolean;
  clock: () => number;
}
