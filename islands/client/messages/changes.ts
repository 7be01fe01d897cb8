/** What the user does to messages that stand in a room. */

import type {
  ClientEvents,
  Message,
} from "../../../realtime/protocol/protocol.ts";
import type { ChatClient } from "../chat_client.ts";
import type { RoomState } from "../rooms/room_state.ts";

/** A message that is to be deleted stays for so long, in which that can be undone; in milliseconds. */
export const UNDO_MS = 5_000;

type ChangeEvent =
  | "message:edit"
  | "message:delete"
  | "reaction:set"
  | "pin:set";

type Client = Pick<ChatClient, "connection" | "clock">;

/**
 * Asks the server for a change. What comes of it is seen by the room's feed.
 *
 * @returns whether it was done; if not, the room's `changeFault` says why
 */
export async function changeMessage<E extends ChangeEvent>(
  { connection }: Client,
  state: RoomState,
  event: E,
  data: ClientEvents[E],
): Promise<boolean> {
  const ack = await connection.call(event, data);
  state.changeFault = ack.success ? undefined : ack.code;
  return ack.success;
}

/** Puts an emoji to a message, or takes it back. */
export function setReaction(
  client: Client,
  state: RoomState,
  { roomId, messageId }: Message,
  emoji: string,
  on: boolean,
): Promise<boolean> {
  return changeMessage(client, state, "reaction:set", {
    ...{ roomId, messageId, emoji, on },
  });
}

/** Deletes a message a little later, unless that is undone; another one that waits for that goes at once. */
export function deleteSoon(
  client: Client,
  state: RoomState,
  message: Message,
): void {
  state.deletion?.finish();
  const { roomId, messageId } = message;
  const end = () => {
    cancel();
    state.deletion = undefined;
  };
  const finish = () => {
    end();
    changeMessage(client, state, "message:delete", { roomId, messageId });
  };
  const cancel = client.clock.after(UNDO_MS, finish);
  state.deletion = { message, undo: end, finish };
}
