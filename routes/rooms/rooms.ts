/** Rooms: list, create, read. */

import { z } from "@hono/zod-openapi";
import {
  createRoom,
  findRoom,
  listAllRooms,
  listUserRooms,
} from "../../db/rooms.ts";
import { Room } from "../../realtime/protocol/rooms.ts";
import type { RouteDeps } from "../deps.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import {
  type AddCall,
  jsonAnswer,
  jsonBody,
  restCall,
  restRoutes,
} from "../rest_call.ts";
import { MAX_PAGE } from "../schemas.ts";
import { addListMembers } from "./members.ts";
import { addJoinRoom, addLeaveRoom } from "./membership.ts";
import { nextLink } from "./next_link.ts";
import { addMarkRead } from "./read_markers.ts";
import { decodeRoomCursor, encodeRoomCursor } from "./room_cursor.ts";
import { RoomName } from "./room_name.ts";
import { RoomListQuery, RoomParams } from "./room_schemas.ts";
import { roomView } from "./room_view.ts";

/** Mounted under `/api/rooms`. */
export function roomRoutes(deps: RouteDeps) {
  return restRoutes(deps, [
    addListRooms,
    addCreateRoom,
    addGetRoom,
    addJoinRoom,
    addLeaveRoom,
    addMarkRead,
    addListMembers,
  ]);
}

const addListRooms: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/",
    operationId: "listRooms",
    tag: "Rooms",
    summary: "The caller's rooms, or with `all=true` every room",
    description:
      `Most recently active first, at most ${MAX_PAGE} at once; the next page's address is in the \`Link\` header.`,
    request: { query: RoomListQuery },
    answers: { 200: jsonAnswer("The rooms", z.array(Room)) },
    problems: ["bad_cursor"],
  });
  app.openapi(call, async (c) => {
    const { user } = c.var.session;
    const { all, q, limit = MAX_PAGE, cursor } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeRoomCursor(cursor);
    if (cursor !== undefined && after === undefined) {
      return problem(c, "bad_cursor");
    }
    await deps.realtime.flushReadMarkers();
    const list = all === "true" ? listAllRooms : listUserRooms;
    // One row more than asked for shows whether there is a next page.
    const page = { limit: limit + 1, query: q, after };
    const found = await list(deps.db, user.id, page);
    const rooms = found.slice(0, limit);
    const last = rooms.at(-1);
    if (found.length > limit && last !== undefined) {
      const cursor = encodeRoomCursor(last);
      c.header("Link", nextLink(c.req.path, { all, q, limit, cursor }));
    }
    return c.json(
      rooms.map((room) => roomView(room, deps.realtime.epoch)),
      200,
    );
  });
};

const addCreateRoom: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/",
    operationId: "createRoom",
    tag: "Rooms",
    summary: "Create a room",
    description:
      "The creator is its first member. Names are unique without regard to case. A user may make so many rooms an hour (429), and so many at all (409).",
    request: {
      body: jsonBody(z.object({ name: RoomName }).openapi("NewRoom"), {
        name: { name: EXAMPLE.newRoomName },
      }),
    },
    answers: { 201: jsonAnswer("The new room", Room) },
    problems: ["room_name_taken", "too_many_rooms"],
  });
  app.openapi(call, async (c) => {
    const { db, config, clock } = deps;
    const { user } = c.var.session;
    const id = crypto.randomUUID();
    const { name } = c.req.valid("json");
    const wanted = { id, name, createdBy: user.id, now: new Date(clock()) };
    const made = await createRoom(db, wanted, config);
    if (made === "name_taken") return problem(c, "room_name_taken");
    if (made === "too_many_rooms") return problem(c, "too_many_rooms");
    if (made === "no_user") return problem(c, "unauthorized");
    if (made !== "created") return problem(c, "too_many_requests", made);
    const room = await findRoom(db, id, user.id);
    if (room === undefined) throw new Error(`the new room ${id} is gone`);
    c.header("Location", `${c.req.path}/${id}`);
    return c.json(roomView(room, deps.realtime.epoch), 201);
  });
};

const addGetRoom: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}",
    operationId: "getRoom",
    tag: "Rooms",
    summary: "One room",
    request: { params: RoomParams },
    answers: { 200: jsonAnswer("The room", Room) },
    problems: ["room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { id } = c.req.valid("param");
    await deps.realtime.flushReadMarkers();
    const room = await findRoom(deps.db, id, c.var.session.user.id);
    if (room === undefined) return problem(c, "room_not_found");
    return c.json(roomView(room, deps.realtime.epoch), 200);
  });
};
