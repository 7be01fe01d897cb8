/** Reads the parts of a room's history that are not held, for whoever scrolls there. */

import type { Message } from "../../../realtime/protocol/protocol.ts";
import { type MessagePage, newestMessages, path } from "../api.ts";
import type { ChatClient } from "../chat_client.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { RoomState } from "../rooms/room_state.ts";

/** Fetches the page before what is held. */
export async function loadOlder(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  const { store } = state;
  const first = store.messages[0];
  if (!store.hasOlder || first === undefined) return;
  const page = await fetchNextTo(rooms, state, "before", first);
  // Another run took the place of this one while the page was fetched: it does not belong to that.
  if (page === undefined || store.messages[0] !== first) return;
  store.prepend(page);
  state.trim();
  rooms.fill(state);
}

/** Fetches the page after what is held, when the newest are not. */
export async function loadNewer(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  const { store } = state;
  const last = store.messages.at(-1);
  if (!store.hasNewer || last === undefined) return;
  const page = await fetchNextTo(rooms, state, "after", last);
  if (page === undefined || store.messages.at(-1) !== last) return;
  store.append(page);
  state.trim();
  rooms.fill(state);
}

async function fetchNextTo(
  rooms: JoinedRooms,
  state: RoomState,
  side: "before" | "after",
  { messageId }: Message,
): Promise<MessagePage | undefined> {
  const page = await rooms.fetchPage(
    state,
    (api) =>
      api.get<MessagePage>(
        path`/rooms/${state.room.id}/messages?limit=50&${side}=${messageId}`,
      ),
  );
  // The room was left and opened again: its newest page could not be fetched beside this one.
  if (state.isOpen && !state.isLoaded) await rooms.open(state);
  return page;
}

/** Puts the newest page in the place of what is held, when that is older. */
export async function loadNewest(
  rooms: JoinedRooms,
  state: RoomState,
): Promise<void> {
  if (!state.store.hasNewer) return;
  const page = await rooms.fetchPage(
    state,
    (api) => newestMessages(api, state.room.id),
  );
  // Left meanwhile: the newest page is read when the room is opened.
  if (page !== undefined && state.isLoaded) {
    state.store.show(page);
    rooms.fill(state);
    // What came while the page was on its way is not in it.
    await loadNewer(rooms, state);
  }
  if (state.isOpen && !state.isLoaded) await rooms.open(state);
}

/**
 * Puts the messages from `seq` on in the place of what is held, unless that has it: however far back,
 * it is one replay. Without a connection nothing changes.
 *
 * @param isWanted asked when they have come: whether the room is still shown
 */
export async function loadFrom(
  { rooms, connection }: Pick<ChatClient, "rooms" | "connection">,
  state: RoomState,
  seq: number,
  isWanted: () => boolean,
): Promise<void> {
  const { store, room: { id } } = state;
  if (store.has(seq)) return;
  const messages: Message[] = [];
  store.onReceived = (message) => {
    if (message.seq === seq + messages.length) messages.push(message);
  };
  const ack = await connection.call("rooms:sync", {
    rooms: [{ roomId: id, lastSeq: seq - 1 }],
  });
  const lastRev = ack.success ? ack.results[0]?.lastRev ?? 0 : 0;
  store.onReceived = undefined;
  // From its real position on the room is followed without a gap.
  await rooms.sync([state]);
  if (messages.length > 0 && isWanted()) {
    store.show({ messages, hasMore: seq > 1, lastRev });
    // What was changed since they were sent is not in them.
    rooms.fill(state);
  }
}
