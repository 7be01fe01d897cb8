/** Looks among all rooms of the server, and at who is in one. */

import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import { type Api, path, type Room } from "../api.ts";

/** The first page of the rooms whose name holds `name`. */
export const findRooms = (api: Api, name: string) =>
  api.get<Room[]>(path`/rooms?all=true&q=${name}`);

/** Another page of rooms. @param page `next` of the page before */
export const moreRooms = (api: Api, page: string) =>
  api.get<Room[]>(`/rooms${page}`);

/** A page of a room's members. @param page `next` of the page before; empty for the first */
export const listMembers = (api: Api, id: string, page: string) =>
  api.get<UserRef[]>(path`/rooms/${id}/members` + page);
