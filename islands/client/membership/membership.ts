/** Entering and leaving rooms. */

import { type ApiResult, path, type Room } from "../api.ts";
import { type ChatClient, ROOMS_CHANGED_KEY } from "../chat_client.ts";
import type { RoomState } from "../rooms/room_state.ts";
import { writeJson } from "../storage/storage.ts";

/** Makes a room, with the user in it. */
export async function createRoom(
  client: ChatClient,
  name: string,
): Promise<ApiResult<Room>> {
  return entered(client, await client.api.post("/rooms", { name }));
}

/** Makes the user a member of a room. */
export async function joinRoom(
  client: ChatClient,
  roomId: string,
): Promise<ApiResult<Room>> {
  return entered(client, await client.api.post(path`/rooms/${roomId}/join`));
}

/** Ends the user's membership. */
export async function leaveRoom(
  { api, rooms }: ChatClient,
  roomId: string,
): Promise<ApiResult<void>> {
  const result = await api.post<void>(path`/rooms/${roomId}/leave`);
  if (result.ok || result.code === "not_a_member") rooms.remove(roomId);
  return result;
}

function entered(
  client: ChatClient,
  result: ApiResult<Room>,
): ApiResult<Room> {
  if (!result.ok) return result;
  const state = client.rooms.add(result.data);
  writeJson(client.storage, ROOMS_CHANGED_KEY, client.clock.date());
  subscribe(client, state);
  return result;
}

/** Subscribes to a room that was entered; the first of the user's tabs to do so announces them. */
async function subscribe(
  { rooms, connection }: ChatClient,
  state: RoomState,
): Promise<void> {
  const ack = await connection.call("room:join", rooms.position(state));
  if (!ack.success || ack.hasMore || ack.reset) rooms.stages.follow([state]);
}
