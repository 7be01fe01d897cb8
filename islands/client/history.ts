/** Reads the parts of a room's history that are not held, for whoever scrolls there. */

import type { MessageNew } from "../../realtime/protocol.ts";
import type { ChatClient } from "./chat_client.ts";
import type { JoinedRooms } from "./joined_rooms.ts";
import type { RoomState } from "./room_state.ts";

/** Fetches the page before what is held. */
export async function loadOlder(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  const first = state.store.messages[0];
  if (!state.store.hasOlder || first === undefined) return;
  const page = await rooms.fetchPage(
    state,
    (api) => api.messagesNextTo(state.room.id, "before", first.messageId),
  );
  if (page === undefined) return;
  state.store.prepend(page);
  state.trim();
}

/** Fetches the page after what is held, when the newest are not. */
export async function loadNewer(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  const last = state.store.messages.at(-1);
  if (!state.store.hasNewer || last === undefined) return;
  const page = await rooms.fetchPage(
    state,
    (api) => api.messagesNextTo(state.room.id, "after", last.messageId),
  );
  if (page === undefined) return;
  state.store.append(page);
  state.trim();
}

/** Puts the newest page in the place of what is held, when that is older. */
export async function loadNewest(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  if (!state.store.hasNewer) return;
  const page = await rooms.fetchPage(
    state,
    (api) => api.newestMessages(state.room.id),
  );
  if (page !== undefined) state.store.show(page);
}

/**
 * Puts the messages from `seq` on in the place of what is held, unless that has it: however far back,
 * it is one replay. Without a connection nothing changes.
 */
export async function loadFrom(
  { rooms, connection }: Pick<ChatClient, "rooms" | "connection">,
  state: RoomState,
  seq: number,
): Promise<void> {
  const { store, room: { id } } = state;
  if (store.has(seq)) return;
  const messages: MessageNew[] = [];
  store.onReceived = (message) => {
    if (message.seq === seq + messages.length) messages.push(message);
  };
  await connection.call("rooms:sync", {
    rooms: [{ roomId: id, lastSeq: seq - 1 }],
  });
  store.onReceived = undefined;
  // From its real position on the room is followed without a gap.
  await rooms.sync([state]);
  if (messages.length > 0) store.show({ messages, hasMore: seq > 1 });
}
