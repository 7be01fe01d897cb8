/** Changing the text of one's own messages. Fetched when it is first done. */

import type { Message } from "../../../realtime/protocol/protocol.ts";
import { changeMessage } from "../../client/messages/changes.ts";
import type { RoomState } from "../../client/rooms/room_state.ts";
import type { Ui } from "../ui.ts";

/** Gives a message another text; when that is refused, the text comes back into the box. */
export async function edit(
  { client }: Ui,
  state: RoomState,
  message: Message,
  text: string,
): Promise<void> {
  const { roomId, messageId, rev } = message;
  const isDone = await changeMessage(client, state, "message:edit", {
    ...{ roomId, messageId, text },
    ...(rev !== undefined && { baseRev: rev }),
  });
  if (isDone) return;
  const present = state.store.messages.find((each) =>
    each.messageId === messageId
  );
  // Once more on what it is now: the user sees both.
  if (present && !present.deletedAt) {
    state.composing = { kind: "edit", message: { ...present, text } };
  }
}

/** Begins to edit the newest message of one's own that can be. */
export function editLast({ client }: Ui, state: RoomState): void {
  const message = state.store.messages.findLast(({ sender, deletedAt }) =>
    sender.id === client.user.id && !deletedAt
  );
  if (message) state.composing = { kind: "edit", message };
}
