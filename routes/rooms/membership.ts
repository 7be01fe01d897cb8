/** Joining and leaving a room. */

import { findRoom } from "../../db/rooms.ts";
import { Room } from "../../realtime/protocol/rooms.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, restCall } from "../rest_call.ts";
import { findOutsiderDenial } from "./room_access.ts";
import { RoomParams } from "./room_schemas.ts";
import { roomView } from "./room_view.ts";

export const addJoinRoom: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/{id}/join",
    operationId: "joinRoom",
    tag: "Rooms",
    summary: "Become a member",
    description: "Also when already a member.",
    request: { params: RoomParams },
    answers: { 200: jsonAnswer("The room", Room) },
    problems: ["room_not_found", "too_many_rooms"],
  });
  app.openapi(call, async (c) => {
    const { db, realtime } = deps;
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    const joined = await realtime.membership.join(user, id);
    if (joined === "no_room") return problem(c, "room_not_found");
    if (joined === "no_user") return problem(c, "unauthorized");
    if (joined === "too_many_rooms") return problem(c, "too_many_rooms");
    await realtime.flushReadMarkers();
    const room = await findRoom(db, id, user.id);
    if (room === undefined) return problem(c, "room_not_found");
    return c.json(roomView(room, deps.realtime.epoch), 200);
  });
};

export const addLeaveRoom: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/{id}/leave",
    operationId: "leaveRoom",
    tag: "Rooms",
    summary: "End the membership",
    description: "The caller's sockets stop receiving the room at once.",
    request: { params: RoomParams },
    answers: { 204: { description: "Left" } },
    problems: ["not_a_member", "room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { db, realtime } = deps;
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    if (await realtime.membership.leave(user, id)) return c.body(null, 204);
    return problem(c, await findOutsiderDenial(db, id));
  });
};
