import type { RoomState } from "./room_state.ts";
import type { ChatClient } from "./chat_client.ts";

/** So many pages of history are fetched at most to find where reading ended. */
const MAX_PAGES = 20;

/**
 * Finds where reading ended when it was before the messages held then: fetches history as far as it
 * takes, within reason.
 *
 * @param count messages of others that were unread when the room was opened
 * @param until `seq` of the newest message of that time
 * @returns `seq` of the oldest of them, or of the oldest message there is
 */
export async function oldestUnread(
  { rooms, user }: Pick<ChatClient, "user"> & {
    rooms: Pick<ChatClient["rooms"], "loadOlder">;
  },
  room: RoomState,
  count: number,
  until: number,
): Promise<number | undefined> {
  const { store } = room;
  for (let pages = 0;; pages++) {
    const theirs = store.messages.filter(({ seq, sender }) =>
      seq <= until && sender.id !== user.id
    );
    const found = theirs.at(-count);
    if (found !== undefined) return found.seq;
    const held = store.messages.length;
    if (pages < MAX_PAGES) await rooms.loadOlder(room);
    if (store.messages.length === held) return store.messages[0]?.seq;
  }
}
